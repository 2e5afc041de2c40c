// Package streamendtest is the test suite that every decoder under pkg/streamend passes.
package streamendtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Down is an account about which upstream cannot be asked now. An event with it fails, and can be retried.
const Down = "down"

// engine knows every room and every account except Down.
type engine struct{}

func (engine) GiftCount(_ context.Context, q giftstats.Query) (giftstats.Stats, error) {
	if q.Account == Down {
		return giftstats.Stats{}, giftstats.Errorf(giftstats.CodeUpstreamUnavailable, "down")
	}
	return giftstats.Stats{RoomID: q.RoomID, Account: q.Account}, nil
}

func (engine) RoomStats(context.Context, string) (giftstats.RoomStats, error) {
	return giftstats.RoomStats{}, nil
}

func (engine) RoomInfo(context.Context, string) (giftstats.RoomInfo, error) {
	return giftstats.RoomInfo{OwnerAccount: "owner"}, nil
}

func (engine) RoomList(context.Context, string) (giftstats.RoomList, error) {
	return giftstats.RoomList{}, nil
}

// Recorder records the ids of the summaries that are delivered to it, and their sources.
type Recorder struct {
	mu      sync.Mutex
	ids     []string
	sources []streamend.Source
}

// Deliver records the id of the message.
func (r *Recorder) Deliver(_ context.Context, m delivery.Message) error {
	var summary streamend.Summary
	if err := json.Unmarshal(m.Body, &summary); err != nil {
		return permanent.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids, r.sources = append(r.ids, m.ID), append(r.sources, summary.Data.Source)
	return nil
}

// IDs returns the ids of all deliveries so far, sorted and joined with spaces.
func (r *Recorder) IDs() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(slices.Sorted(slices.Values(r.ids)), " ")
}

// NewProcessor returns a processor that delivers to the recorder.
func NewProcessor(recorder *Recorder) (*streamend.Processor, error) {
	return streamend.NewProcessor(config(recorder))
}

// Delivering returns a processor that delivers to receivers.
func Delivering(t testing.TB, receivers ...delivery.Deliverer) *streamend.Processor {
	t.Helper()
	return Remembering(t, nil, receivers...)
}

// Remembering returns a processor with a ledger that delivers to receivers.
func Remembering(t testing.TB, l *ledger.Ledger, receivers ...delivery.Deliverer) *streamend.Processor {
	t.Helper()
	c := config(receivers...)
	c.Ledger = l
	processor, err := streamend.NewProcessor(c)
	if err != nil {
		t.Fatal(err)
	}
	return processor
}

func config(receivers ...delivery.Deliverer) streamend.Config {
	c := streamend.Config{
		Rate: 10_000, Service: giftstats.NewService(engine{}),
		WaitIdle: func(context.Context) {},
		Meter:    new(telemetry.Meter),
		Now:      time.Now,
		Logger:   slog.New(slog.DiscardHandler),
	}
	for i, receiver := range receivers {
		c.Receivers = append(c.Receivers, delivery.Receiver{Name: fmt.Sprint("receiver ", i), Deliverer: receiver})
	}
	return c
}

// Function processes events, as the functions of both clouds do.
type Function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Decoder is a decoder under test.
type Decoder struct {
	// New returns a function that processes with processor.
	New func(t testing.TB, processor *streamend.Processor) Function
	// Invocation returns a context like that of the cloud's runtime, with the id of the invocation.
	Invocation func(ctx context.Context, id string) context.Context
}

// Start returns a function, and the recorder of what it delivers.
func (d Decoder) Start(t testing.TB) (Function, *Recorder) {
	t.Helper()
	recorder := new(Recorder)
	processor, err := NewProcessor(recorder)
	if err != nil {
		t.Fatal(err)
	}
	return d.New(t, processor), recorder
}

// TestGolden checks that each event in testdata is delivered as the event e-1, and that each is refused when it is cut off at any
// byte.
func (d Decoder) TestGolden(t *testing.T) {
	t.Helper()
	for name, payload := range golden(t) {
		t.Run(name, func(t *testing.T) {
			function, recorder := d.Start(t)
			response, err := function.Invoke(t.Context(), payload)
			if err != nil {
				t.Errorf("Invoke: %v", err)
			}
			if got := recorder.IDs(); got != "e-1" {
				t.Errorf("delivered %q, want e-1", got)
			}
			if !json.Valid(response) {
				t.Errorf("response = %s, want JSON", response)
			}
			if strings.Contains(string(response), "itemIdentifier") {
				t.Errorf("response = %s, want no failed items", response)
			}
			for cut := range payload[:len(payload)-3] { // an event without its last newline is complete
				if _, err := function.Invoke(t.Context(), payload[:cut]); err == nil {
					t.Fatalf("the first %d bytes are accepted", cut)
				}
			}
		})
	}
}

// TestErrors checks that each payload makes the invocation fail with an error of a stable type, whose name the cloud shows, and that
// nothing is delivered.
func (d Decoder) TestErrors(t *testing.T, payloads map[string]string) {
	t.Helper()
	for name, payload := range payloads {
		function, recorder := d.Start(t)
		response, err := function.Invoke(t.Context(), []byte(payload))
		if err == nil {
			t.Errorf("%s: response = %s, want an error", name, response)
			continue
		}
		if errorType := reflect.TypeOf(err).String(); errorType != "*streamend.EventError" {
			t.Errorf("%s: operators would see the errorType of %s, want EventError", name, errorType)
		}
		if got := recorder.IDs(); got != "" {
			t.Errorf("%s: delivered %q, want nothing", name, got)
		}
	}
	function, _ := d.Start(t)
	_, err := function.Invoke(t.Context(), []byte(`{}`))
	if !permanent.Is(err) && !errors.Is(err, giftstats.CodeInvalidRequest) {
		t.Errorf("an event without a room = %v, want a permanent error", err)
	}
}

// TestSources checks which source the summary of each payload has. The event in it is reported as by Tencent's webhook.
func (d Decoder) TestSources(t *testing.T, payloads map[string]string, want streamend.Source) {
	t.Helper()
	for name, payload := range payloads {
		function, recorder := d.Start(t)
		if response, err := function.Invoke(t.Context(), []byte(payload)); err != nil {
			t.Errorf("%s: response = %s, %v", name, response, err)
		}
		if !slices.Equal(recorder.sources, []streamend.Source{want}) {
			t.Errorf("%s: the sources are %q, want %q", name, recorder.sources, want)
		}
	}
}

// TestInvocationIdentifiesEvent checks that an event without an id and a time gets the same id when its invocation is retried.
func (d Decoder) TestInvocationIdentifiesEvent(t *testing.T) {
	t.Helper()
	function, recorder := d.Start(t)
	for _, id := range []string{"request-1", "request-1", "request-2"} {
		if _, err := function.Invoke(d.Invocation(t.Context(), id), []byte(`{"room_id":"r","accounts":["a"]}`)); err != nil {
			t.Fatal(err)
		}
	}
	ids := strings.Fields(recorder.IDs())
	if distinct := len(slices.Compact(slices.Clone(ids))); len(ids) != 3 || distinct != 2 {
		t.Errorf("delivered %v, want three deliveries with two ids", ids)
	}
}

// Fuzz checks that every response without an error is JSON. The seeds are the events in testdata.
func (d Decoder) Fuzz(f *testing.F) {
	for _, payload := range golden(f) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		function, _ := d.Start(t)
		if response, err := function.Invoke(t.Context(), payload); err == nil && !json.Valid(response) {
			t.Fatalf("response = %s, want JSON", response)
		}
	})
}

// golden returns the events in testdata by the names of their files.
func golden(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no events in testdata: %v", err)
	}
	events := map[string][]byte{}
	for _, name := range names {
		if events[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return events
}
