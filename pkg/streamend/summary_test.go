package streamend_test

import (
	"encoding/json"
	"testing"

	"github.com/giftstats/giftstats/pkg/streamend"
)

// A stored summary is read when it is delivered again, and by GET /v1/streams: what was written must be read back unchanged.
func FuzzSummary(f *testing.F) {
	f.Add([]byte(`{"type":"stream.summary","timestamp":"2026-11-25T12:00:00Z","data":{"event_id":"e","room_id":"r","source":"live",` +
		`"room":{"total_gift_coins":7},"room_from":"webhook","accounts":[{"room_id":"r","account":"a","total_coins":7,"from":"room",` +
		`"as_of":"2026-11-25T12:00:00Z"},{"account":"b","error":{"code":"room_not_found"}}],"reconciled":true,"complete":false}}`))
	f.Add([]byte(`{"data":{"accounts":[{"account":"a","sequence":1,"error":null}],"unattributed":{"total_coins":-1},"top_senders":[{}]}}`))
	f.Add([]byte(`{"data":{"accounts":[{"error":{}},null,{}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var summary, again streamend.Summary
		if json.Unmarshal(raw, &summary) != nil {
			return
		}
		first, err := json.Marshal(summary)
		if err != nil {
			t.Fatalf("a summary that was read cannot be written: %v", err)
		}
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s cannot be read: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || string(second) != string(first) {
			t.Fatalf("%s became %s, %v", first, second, err)
		}
	})
}
