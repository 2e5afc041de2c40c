package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/deployed"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// Events arrive from CKafka, CMQ, EventBridge, timers and direct invocations. Summaries leave through a signed HTTPS delivery.
func TestProgram(t *testing.T) {
	program := deployed.NewTencent(t)
	customer := fixture.NewCustomer(t)
	program.Start(t, map[string]string{"GIFTSTATS_DELIVER": customer.URL})

	files, err := filepath.Glob("../../../pkg/streamend/tencent/testdata/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("events %v, %v, want at least seven", files, err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if reply := program.Reply(t, payload, program.Role()); reply.ErrorType != "" {
			t.Errorf("%s: %+v\n%s", file, reply, program.Output())
		}
	}
	delivered, _ := customer.Delivered()
	deployed.WantCount(t, "deliveries", len(delivered), len(files))
	for _, id := range delivered {
		if id != "e-1" {
			t.Errorf("the event %q was delivered, want e-1", id)
		}
	}
	reply := program.Reply(t, []byte(`{}`), program.Role())
	if want := "room_id is missing or empty"; !strings.Contains(reply.ErrorMessage, want) {
		t.Errorf("an event without a room: %+v, want %q", reply, want)
	}
	customer.Answer(http.StatusGone)
	reply = program.Reply(t, []byte(`{"event_id":"e-2","room_id":"room_id"}`), program.Role())
	if want := "answered with 410 Gone"; !strings.Contains(reply.ErrorMessage, want) {
		t.Errorf("an endpoint that is gone: %+v, want %q", reply, want)
	}
	deployed.WantLogged(t, program, "event failed permanently")
	deployed.WantNoSecrets(t, program.Output(), program.Secrets())
}
