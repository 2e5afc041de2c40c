package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/giftstats/giftstats/pkg/streamend"
)

// For all parameters and headers, the answer is one that the OpenAPI document describes, and never an internal error.
func FuzzRequests(f *testing.F) {
	m, upstream := goneRooms(f)
	h := newHandler(f, upstream, document, io.Discard, withLedger(m))
	const streams, topSenders, giftStats = 0, 1, 2
	paths := []string{streams: "/v1/streams", topSenders: "/v1/top-senders", giftStats: "/v1/gift-stats"}
	for _, seed := range []struct {
		path                        byte
		query, cacheControl, accept string
	}{
		{path: streams, query: "account=alice&from=2026-11-01&to=2026-11-24T00:00:00Z&limit=1", accept: "text/csv"},
		{path: streams, query: "limit=1", accept: "text/csv;q=0.1, */*;q=0.01"},
		{path: streams, query: "cursor=eyJ0IjoiMjAyNi0xMS0yM1QxMTowMDowMFoiLCJyIjoiZW5kZWQiLCJzIjoiMSJ9"},
		{path: topSenders, query: "room_id=ended&started_at=2026-11-23T10:00:00%2B00:00"},
		{path: giftStats, query: "room_id=open&account=alice", cacheControl: `max-age="60", no-transform`},
		{path: giftStats, query: "room_id=ended&account=alice", cacheControl: "max-age=99999999999999999999"},
	} {
		f.Add(seed.path, seed.query, seed.cacheControl, seed.accept)
	}
	f.Fuzz(func(t *testing.T, path byte, query, cacheControl, accept string) {
		r := httptest.NewRequest(http.MethodGet, paths[int(path)%len(paths)], nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+apiKey)
		r.Header.Set("Cache-Control", cacheControl)
		r.Header.Set("Accept", accept)
		response := httptest.NewRecorder()
		h.ServeHTTP(response, r)
		if response.Code >= 500 {
			t.Errorf("%d %s", response.Code, response.Body)
		}
		openAPI(t).check(t, r, response)
	})
}

// Every body is refused, or becomes an event that the function behind the queue can read.
func FuzzStreamEnds(f *testing.F) {
	f.Add(`{"event_id":"e","room_id":"r","accounts":["a","a"],"ended_at":"2026-11-23T12:00:00Z","reason":"x","source":"direct"}`)
	f.Add(`{"room_id":"r","room_totals":{"total_viewers":1,"total_gifts_sent":2,"total_gift_coins":9223372036854775807,` +
		`"total_unique_gift_senders":4,"total_likes_received":0,"total_messages":6}}`)
	f.Add(`{"room_id":"r","accounts":null,"source":"live"}`)
	q := &queue{}
	h := newHandler(f, engine{}, document, io.Discard, onStreamEnd(q.enqueue))
	f.Fuzz(func(t *testing.T, body string) {
		q.events = nil
		r := postEnd(body).request()
		response := httptest.NewRecorder()
		h.ServeHTTP(response, r)
		if len(q.events) == 0 && response.Code != http.StatusBadRequest && response.Code != http.StatusRequestEntityTooLarge {
			t.Fatalf("not queued, but answered %d %s", response.Code, response.Body)
		}
		if len(q.events) > 0 && response.Code != http.StatusAccepted {
			t.Fatalf("queued, but answered %d %s", response.Code, response.Body)
		}
		for _, event := range q.events {
			encoded, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := streamend.Parse(encoded, ""); err != nil || again.EventID != event.EventID {
				t.Fatalf("%s does not survive the queue: %v", encoded, err)
			}
		}
	})
}
