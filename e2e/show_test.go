//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// stage is a simulated live engine whose webhooks go through the gateway of a cloud to the deployed functions.
type stage struct {
	engine   *simulator.Engine
	endpoint string
	customer *fixture.Customer
	destroy  eventtest.Request // the last webhook of a dissolved room

	ask    func(eventtest.Request) eventtest.Answer // of the api function
	report func(event string)                       // sends an own event past the api function
	work   func()                                   // lets the stream-end function process what is queued
	sweep  func()                                   // lets it sweep
	ledger *ledger.Ledger                           // the one of the functions
	output func() string                            // what the functions have printed
}

// newStage starts the engine and the customer. The caller adds the functions.
func newStage(t *testing.T) *stage {
	s := &stage{customer: fixture.NewCustomer(t)}
	s.engine, s.endpoint = fixture.Engine(t, func(c *simulator.Config) {
		c.Gifts = append(c.Gifts, simulator.DefaultGifts()...)
		c.Transport = s
	})
	if err := s.engine.SetWebhook("https://gateway.example/v1/webhooks/live", fixture.LiveToken); err != nil {
		t.Fatal(err)
	}
	return s
}

// RoundTrip passes a webhook of the engine on to the api function.
func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	webhook := eventtest.Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Body: string(body),
		Header: map[string]string{"Content-Type": r.Header.Get("Content-Type"), "Host": r.URL.Host},
	}
	if webhook.Query.Get("CallbackCommand") == simulator.AfterDestroyRoom {
		s.destroy = webhook
	}
	answer := s.ask(webhook)
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(answer.Status)
	recorder.WriteString(answer.Body)
	return recorder.Result(), nil
}

// test lets a show go on from its first webhook to the last question about it, then another one whose end no webhook reports.
func (s *stage) test(t *testing.T) {
	t.Run("a show ends in one summary, right to the coin", s.testShow)
	t.Run("the sweep finds an end that no webhook reports", s.testMissedEnd)
	if strings.Contains(s.output(), "gift not recorded") {
		t.Errorf("gifts were lost:\n%s", s.output())
	}
}

func (s *stage) testShow(t *testing.T) {
	s.open(t, "show", "alice")
	if err := s.engine.TakeSeat("show", "bob", 1); err != nil {
		t.Fatal(err)
	}
	s.give(t, "show", "rocket", 2, "carol", "alice", "bob")
	s.give(t, "show", "car", 3, "dave", "bob")
	var top ranking
	s.get(t, "/v1/top-senders", url.Values{"room_id": {"show"}}, &top)
	top.want(t, "carol 4000", "dave 300")
	s.sweep()
	s.give(t, "show", "rose", 7, "erin", "alice")
	s.give(t, "show", "rocket", 1, "dave", "alice")

	room := s.dissolve(t, "show")
	s.work()
	ended := s.summary(t, 1)
	ended.want(t, "live", room)

	now := time.Now().UTC()
	s.accept(t, s.destroy, http.StatusOK) // again
	s.accept(t, fixture.TRTCWebhook("show", now), http.StatusOK)
	s.report(fmt.Sprintf(`{"event_id":"own-1","room_id":"show","ended_at":%q}`, now.Format(time.RFC3339Nano)))
	s.work()
	s.sweep()
	if again := s.summary(t, 1); again.Data.EventID != ended.Data.EventID {
		t.Errorf("event_id = %q, want that of the first summary, %q", again.Data.EventID, ended.Data.EventID)
	}

	var list streams
	s.get(t, "/v1/streams", url.Values{"account": {"bob"}}, &list)
	list.want(t, ended.Data, room.Received["bob"].TotalCoins)
	s.get(t, "/v1/streams", url.Values{"room_id": {"show"}}, &list)
	list.want(t, ended.Data, room.TotalGiftCoins)
	top = ranking{}
	s.get(t, "/v1/top-senders", url.Values{"room_id": {"show"}, "account": {"alice"}}, &top)
	top.want(t, "carol 2000", "dave 1000", "erin 7")
}

// testMissedEnd does not wait for 30 seconds between two answers that the room is missing: it moves the moment of the first one back.
func (s *stage) testMissedEnd(t *testing.T) {
	if err := s.engine.LoseWebhooks(simulator.WebhookLoss{Command: simulator.AfterDestroyRoom}); err != nil {
		t.Fatal(err)
	}
	s.open(t, "missed", "alice")
	s.give(t, "missed", "car", 5, "carol", "alice")
	s.sweep()
	room := s.dissolve(t, "missed")
	s.sweep()
	s.summary(t, 1) // of the show before
	s.sweep()
	s.summary(t, 1)
	_, err := s.ledger.Update(t.Context(), "missed", func(room *ledger.Room) (bool, error) {
		stream := room.Current()
		if stream == nil || stream.MissingAt.IsZero() {
			t.Fatalf("the ledger has %+v, want a stream that is missing", room)
		}
		stream.MissingAt = stream.MissingAt.Add(-30 * time.Second)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.sweep()
	ended := s.summary(t, 2)
	ended.want(t, "sweep", room)
	if ended.Data.Reason != "missed" {
		t.Errorf("reason = %q, want missed", ended.Data.Reason)
	}
}

func (s *stage) open(t *testing.T, roomID, owner string) {
	t.Helper()
	if err := s.engine.CreateRoom(simulator.RoomInfo{RoomID: roomID, Owner: owner, IsSeatEnabled: true, MaxSeatCount: 4}); err != nil {
		t.Fatal(err)
	}
	s.wantTaken(t)
}

func (s *stage) give(t *testing.T, roomID, giftID string, count int64, sender string, receivers ...string) {
	t.Helper()
	gift := simulator.SentGift{RoomID: roomID, GiftID: giftID, Count: count, Sender: sender, Receivers: receivers}
	if err := s.engine.SendGift(gift); err != nil {
		t.Fatal(err)
	}
	s.wantTaken(t)
}

// dissolve returns the last state of the room.
func (s *stage) dissolve(t *testing.T, roomID string) simulator.Room {
	t.Helper()
	room, err := s.engine.Room(roomID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.engine.DestroyRoom(t.Context(), roomID); err != nil {
		t.Fatal(err)
	}
	return room
}

// wantTaken checks that the last webhook was acknowledged.
func (s *stage) wantTaken(t *testing.T) {
	t.Helper()
	if last := s.engine.LastWebhook(); last == nil || last.Err != nil || last.Status != http.StatusOK {
		t.Fatalf("the outcome of the webhook is %+v", last)
	}
}

func (s *stage) accept(t *testing.T, request eventtest.Request, status int) {
	t.Helper()
	if answer := s.ask(request); answer.Status != status {
		t.Errorf("%s: %+v, want status %d", request.Path, answer, status)
	}
}

func (s *stage) request(method, path string, query url.Values, body string) eventtest.Request {
	return eventtest.Request{
		Method: method, Path: path, Query: query, Body: body,
		Header: map[string]string{"Authorization": "Bearer " + fixture.APIKey, "Host": "example.com", "Content-Type": "application/json"},
	}
}

func (s *stage) get(t *testing.T, path string, query url.Values, into any) {
	t.Helper()
	answer := s.ask(s.request(http.MethodGet, path, query, ""))
	if answer.Status != http.StatusOK {
		t.Fatalf("%s?%s: %+v", path, query.Encode(), answer)
	}
	if err := json.Unmarshal([]byte(answer.Body), into); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
}

// summary checks the number of deliveries to the customer, and returns the last one.
func (s *stage) summary(t *testing.T, deliveries int) summary {
	t.Helper()
	ids, body := s.customer.Delivered()
	if len(ids) != deliveries {
		t.Fatalf("%d deliveries came to the customer, want %d: %q\n%s", len(ids), deliveries, ids, s.output())
	}
	var last summary
	if err := json.Unmarshal(body, &last); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if last.Data.EventID != ids[deliveries-1] {
		t.Errorf("event_id = %q, want the id of the delivery, %q", last.Data.EventID, ids[deliveries-1])
	}
	return last
}
