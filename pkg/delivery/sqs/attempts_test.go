package sqs

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/delivery"
)

// A queue that takes a message and never answers.
func TestHangingQueueDoesNotHoldAWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		environment := awsenv.New(func(name string) string {
			return map[string]string{
				"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "not-a-real-id", "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
			}[name]
		})
		config, err := environment.Config("SQS", "http://127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		var dialed atomic.Int64
		queue := &Queue{"http://127.0.0.1/1/ends", environment, client(config, func(context.Context, string, string) (net.Conn, error) {
			dialed.Add(1)
			near, far := net.Pipe()
			go io.Copy(io.Discard, far)
			return near, nil
		})}
		started := time.Now()
		if err := queue.Deliver(t.Context(), delivery.Message{ID: "e", Body: []byte("{}")}); err == nil {
			t.Error("no error")
		}
		if took := time.Since(started); took > 5*time.Second {
			t.Errorf("held for %v, want less than 5 s", took)
		}
		if got := dialed.Load(); got != 3 {
			t.Errorf("%d attempts, want 3", got)
		}
	})
}
