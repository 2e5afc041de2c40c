package streamend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// The sender of an event chooses its id, and the signature of a delivery is that of "id.timestamp.body". An id with full stops could hold a
// timestamp and the beginning of another body, for which the signature would be valid, too.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
func TestEventIDCannotHoldAnotherBody(t *testing.T) {
	const forged, real = `{"type":"stream.summary","data":{"room_id":"r","accounts":[{"account":"a","total_coins":999}]}}`, `{}`
	now := time.Now()
	id := fmt.Sprintf("e-1.%d.%s", now.Unix(), forged)

	webhook, err := standardwebhooks.NewWebhook("whsec_c2VjcmV0")
	if err != nil {
		t.Fatal(err)
	}
	signature, err := webhook.Sign(id, now, []byte(real))
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	header.Set(standardwebhooks.HeaderWebhookID, "e-1")
	header.Set(standardwebhooks.HeaderWebhookTimestamp, fmt.Sprint(now.Unix()))
	header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	if err := webhook.Verify(fmt.Appendf(nil, "%s.%d.%s", forged, now.Unix(), real), header); err != nil {
		t.Fatalf("the attack does not work any more: %v", err)
	}

	event, err := json.Marshal(map[string]string{"room_id": "r", "event_id": id})
	if err != nil {
		t.Fatal(err)
	}
	_, err = streamend.Parse(event, "message")
	if want := "event_id must not contain a full stop"; !permanent.Is(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v; want a permanent one with %q", err, want)
	}
}
