package streamend_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// A queue delivers an event without a time again. A show that began in between must not end by it.
func TestRedeliveryDoesNotEndTheNextShow(t *testing.T) {
	for _, message := range []string{`{"room_id":"r"}`, `{"room_id":"r","event_id":"e-1"}`} {
		for _, stored := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, stored %v", message, stored), func(t *testing.T) {
				s, clock := newStage(t)
				s.create("r", at(0))
				clock.Advance(150 * time.Second)
				if stored {
					s.two.fail = func() error { return errors.New("down") }
				} else {
					s.tencent.fail = func(string) error { return giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down") }
				}
				if s.process(ownEvent(t, message)) == nil {
					t.Fatal("the first delivery of the event does not fail")
				}
				s.two.fail, s.tencent.fail = nil, nil
				s.create("r", at(200))
				clock.Advance(150 * time.Second)
				s.must(s.process(ownEvent(t, message)))
				s.wantOnlyFirstShowOver()
			})
		}
	}
}

// An event without a time may wait on its queue, for example because the ledger is down, until the next show has started. It is about the
// show that was live when it was sent.
func TestLateEventWithoutATimeDoesNotEndTheNextShow(t *testing.T) {
	for _, test := range []struct {
		name    string
		message streamend.Message
		known   bool // whether the webhook has reported the end
	}{
		{name: "the queue tells when it was sent", message: streamend.Message{Body: []byte(`{"room_id":"r"}`), SentAt: at(100)}},
		{
			name: "the api function tells", known: true,
			message: streamend.Message{Body: []byte(`{"room_id":"r","giftstats_reported_at":"2026-11-25T12:01:40Z"}`), SentAt: at(300)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newStage(t)
			s.create("r", at(0))
			clock.Advance(150 * time.Second)
			if test.known {
				s.must(s.process(liveEnd(100, 20)))
			}
			s.create("r", at(200))
			clock.Advance(200 * time.Second)
			test.message.ID = "message"
			s.must(errors.Join(s.processor().ProcessAll(t.Context(), []streamend.Message{test.message})...))
			data := s.wantOnce()
			if !data.StartedAt.Equal(at(0)) || !data.EndedAt.Equal(at(100)) {
				t.Errorf("the summary is of a show from %v to %v, want the first one", data.StartedAt, data.EndedAt)
			}
			room, err := s.ledger().Room(t.Context(), "r")
			s.must(err)
			if room.Current() == nil {
				t.Error("the next show has ended")
			}
		})
	}
}

// The webhook reports the end first, and the app's own event has no time. If its queue delivers it again, the next show goes on.
func TestRedeliveryOfASecondReportDoesNotEndTheNextShow(t *testing.T) {
	for _, message := range []string{`{"room_id":"r"}`, `{"room_id":"r","event_id":"e-1"}`} {
		for _, stored := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, stored %v", message, stored), func(t *testing.T) {
				s, clock := newStage(t)
				s.create("r", at(0))
				clock.Advance(150 * time.Second)
				down := func(string) error { return giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down") }
				if !stored {
					s.tencent.fail = down
				}
				if err := s.process(liveEnd(100, 20)); (err == nil) != stored {
					t.Fatalf("the webhook: %v", err)
				}
				if err := s.process(ownEvent(t, message)); (err == nil) != stored {
					t.Fatalf("the first delivery of the event: %v", err)
				}
				s.tencent.fail = nil
				s.create("r", at(200))
				clock.Advance(150 * time.Second)
				for range 2 { // the second time, it may be stored
					s.must(s.process(ownEvent(t, message)))
				}
				s.wantOnlyFirstShowOver()
			})
		}
	}
}

// wantOnlyFirstShowOver checks that there is one summary, that of the show that started at second 0, and that the next show goes on.
func (s *stage) wantOnlyFirstShowOver() {
	s.t.Helper()
	if data := s.wantOnce(); !data.StartedAt.Equal(at(0)) {
		s.t.Errorf("the summary is of the show that started at %v", data.StartedAt)
	}
	room, err := s.ledger().Room(s.t.Context(), "r")
	s.must(err)
	if room.Current() == nil {
		s.t.Error("the next show has ended")
	}
}
