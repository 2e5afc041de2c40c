package awsapi

import (
	"encoding/json"
	"fmt"
	"slices"
)

// maxEntries is the most that one PutEvents may hold.
const maxEntries = 10

// Event is an event that EventBridge accepted.
type Event struct {
	ID         string `json:"-"` // from the answer of EventBridge
	Bus        string `json:"EventBusName"`
	Source     string
	DetailType string
	Detail     string // JSON
	Resources  []string
	Time       float64 // Unix seconds; 0 if not sent
}

// Events returns the events that all buses accepted, in order of arrival.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// RefuseEvents makes the next entries of PutEvents fail, one for each code, like InternalFailure or ThrottlingException. The
// call itself succeeds, as on EventBridge.
func (s *Server) RefuseEvents(codes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = append(s.refuse, codes...)
}

type putEventsEntry struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

func (s *Server) putEvents(body []byte) (any, *failure) {
	var input struct{ Entries []Event }
	if failed := decode(body, &input); failed != nil {
		return nil, failed
	}
	if len(input.Entries) == 0 || len(input.Entries) > maxEntries {
		message := fmt.Sprintf("Member must have length between 1 and %d", maxEntries)
		return nil, &failure{status: 400, code: "ValidationException", message: message}
	}
	var output struct {
		FailedEntryCount int
		Entries          []putEventsEntry
	}
	for _, event := range input.Entries {
		entry := s.putEvent(event)
		if entry.ErrorCode != "" {
			output.FailedEntryCount++
		}
		output.Entries = append(output.Entries, entry)
	}
	return output, nil
}

func (s *Server) putEvent(event Event) putEventsEntry {
	switch {
	case len(s.refuse) > 0:
		code := s.refuse[0]
		s.refuse = s.refuse[1:]
		return putEventsEntry{ErrorCode: code, ErrorMessage: "refused on demand"}
	case event.Source == "", event.DetailType == "", event.Detail == "":
		return putEventsEntry{ErrorCode: "InvalidArgument", ErrorMessage: "Parameters Source, DetailType and Detail must be specified."}
	case json.Unmarshal([]byte(event.Detail), new(map[string]json.RawMessage)) != nil:
		return putEventsEntry{ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed."}
	}
	event.ID = fmt.Sprintf("00000000-0000-4000-b000-%012d", len(s.events)+1)
	s.events = append(s.events, event)
	return putEventsEntry{EventID: event.ID}
}
