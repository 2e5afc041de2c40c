package httpapi_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A caller must not be able to fill the log, which costs money, with an id that is refused anyway.
func TestLogDoesNotGrowWithInvalidIDs(t *testing.T) {
	id := strings.Repeat("\x01", 8000)
	escaped := url.QueryEscape(id)
	m, upstream := goneRooms(t)
	for _, test := range []struct {
		name string
		call call
	}{
		{name: "gift stats", call: get("/v1/gift-stats?room_id=" + escaped + "&account=" + escaped)},
		{name: "batch", call: postBatch(`{"queries":[{"room_id":"` + strings.Repeat(`\u0001`, 8000) + `","account":"a"}]}`)},
		{name: "room stats", call: get("/v1/room-stats?room_id=" + escaped)},
		{name: "streams", call: get("/v1/streams?room_id=" + escaped + "&account=" + escaped)},
		{name: "top senders", call: get("/v1/top-senders?room_id=" + escaped + "&account=" + escaped)},
		{name: "stream end", call: postEnd(`{"room_id":"` + strings.Repeat(`\u0001`, 8000) + `"}`)},
		{name: "method", call: call{method: strings.Repeat("M", 8000), target: "/v1/room-stats"}},
		{name: "path", call: get("/v1/" + escaped)},
		{
			name: "webhook",
			call: live("Live.CallbackAfterDestroyRoom", `{"RoomId":"`+strings.Repeat(`\u0001`, 8000)+`"}`),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			h := newHandler(t, upstream, document, &log, withLedger(m))
			if response := send(h, test.call); response.Code >= http.StatusInternalServerError {
				t.Errorf("status %d", response.Code)
			}
			for line := range strings.Lines(log.String()) {
				if len(line) > 1000 {
					t.Errorf("a line of the log has %d bytes: %.300s", len(line), line)
				}
				if strings.Contains(line, `"room_id":`) || strings.Contains(line, `"account":`) {
					t.Errorf("an invalid id is in the log: %.300s", line)
				}
			}
		})
	}
}
