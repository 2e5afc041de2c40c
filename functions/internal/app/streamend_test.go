package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// streamEnd is the customer's report that the stream of the sample has ended.
func streamEnd(eventID string) eventtest.Request {
	request := eventtest.Request{Method: "POST", Path: "/v1/stream-ends", Header: bearer(fixture.APIKey)}
	request.Header["Content-Type"] = "application/json"
	request.Body = fmt.Sprintf(`{"event_id":%q,"room_id":"room_id","accounts":["user1"]}`, eventID)
	return request
}

// queue keeps what is sent to it.
type queue struct{ bodies [][]byte }

// Deliver adds the body of the message.
func (q *queue) Deliver(_ context.Context, message delivery.Message) error {
	q.bodies = append(q.bodies, message.Body)
	return nil
}

// With a queue, the caller gets the id under which the summary will be delivered.
func TestStreamEndIsQueuedInEveryForm(t *testing.T) {
	q := &queue{}
	w := newWorld(t, worldConfig{queue: q, variables: []string{"GIFTSTATS_QUEUE=sqs://127.0.0.1:9/1/ends"}})
	w.forms(t, w.app.Handler, func(name string, form eventtest.Form, f function) {
		t.Run(name, func(t *testing.T) {
			q.bodies = nil
			payload, err := f.Invoke(t.Context(), eventtest.Payload(t, form.Event(streamEnd("end-7"))))
			if err != nil {
				t.Fatal(err)
			}
			answer := eventtest.Read(t, payload)
			if want := `{"event_id":"end-7","status":"queued"}` + "\n"; answer.Status != 202 || answer.Body != want {
				t.Errorf("%d %s, want 202 %s", answer.Status, answer.Body, want)
			}
			if len(q.bodies) != 1 {
				t.Fatalf("%d messages are on the queue, want one", len(q.bodies))
			}
			event, err := streamend.Parse(q.bodies[0], "")
			if err != nil {
				t.Fatal(err)
			}
			if event.EventID != "end-7" || event.RoomID != "room_id" {
				t.Errorf("the event is %+v, want end-7 of room_id", event)
			}
		})
	})
	for _, call := range w.engine.Calls() {
		t.Errorf("the api function asked Tencent: %s", call.Command)
	}
}

// Without a queue, the caller gets the summary that the receiver has got, as a line.
func TestStreamEndIsProcessedInEveryForm(t *testing.T) {
	customer := fixture.NewCustomer(t)
	w := newWorld(t, worldConfig{variables: []string{"GIFTSTATS_DELIVER=" + customer.URL}})
	n := 0
	w.forms(t, w.app.Handler, func(name string, form eventtest.Form, f function) {
		t.Run(name, func(t *testing.T) {
			n++
			id := fmt.Sprint("end-", n)
			payload, err := f.Invoke(t.Context(), eventtest.Payload(t, form.Event(streamEnd(id))))
			if err != nil {
				t.Fatal(err)
			}
			answer := eventtest.Read(t, payload)
			if answer.Status != 200 {
				t.Fatalf("status %d, want 200: %s", answer.Status, answer.Body)
			}
			ids, body := customer.Delivered()
			if len(ids) != n || ids[n-1] != id {
				t.Errorf("%q were delivered, want %s as the last of %d", ids, id, n)
			}
			if answer.Body != string(body)+"\n" {
				t.Errorf("the caller got %s, the receiver %s", answer.Body, body)
			}
			var summary streamend.Summary
			if err := json.Unmarshal([]byte(answer.Body), &summary); err != nil {
				t.Fatal(err)
			}
			if accounts := summary.Data.Accounts; len(accounts) != 1 || accounts[0].Stats == nil || accounts[0].Stats.TotalCoins != 1 {
				t.Errorf("accounts = %+v, want one coin of user1", accounts)
			}
		})
	})
}

// The request fails if a receiver does not accept the summary, so that an undelivered summary is not mistaken for a delivered one.
func TestStreamEndWithoutReceiver(t *testing.T) {
	for _, test := range []struct {
		status int // of the receiver
		want   giftstats.Code
		header string
	}{
		{status: 410, want: giftstats.CodeUpstreamRejected},
		{status: 503, want: giftstats.CodeUpstreamUnavailable, header: "retry-after"},
	} {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			customer := fixture.NewCustomer(t)
			customer.Answer(test.status)
			w := newWorld(t, worldConfig{variables: []string{"GIFTSTATS_DELIVER=" + customer.URL}})
			w.wantProblem(t, t.Context(), w.app.Handler, streamEnd("end-7"), test.want, test.header)
		})
	}
}

// Operators find the event of a customer by its room and its id.
func TestStreamEndIsLogged(t *testing.T) {
	w := newWorld(t, worldConfig{})
	if response := w.ask(streamEnd("end-7")); response.Code != 200 {
		t.Fatalf("status %d, want 200: %s", response.Code, response.Body)
	}
	line := requestLine(t, w)
	for field, want := range map[string]any{"room_id": "room_id", "event_id": "end-7", "caller": "backoffice", "status": 200.0} {
		if line[field] != want {
			t.Errorf("%s = %v, want %v", field, line[field], want)
		}
	}
}
