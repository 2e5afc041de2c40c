package app_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// During a mixed workload at level debug, no secret, UserSig or API key appears in the log or in a response.
func TestNothingLeaks(t *testing.T) {
	w := newWorld(t, worldConfig{level: slog.LevelDebug, variables: []string{"GIFTSTATS_ATTEMPTS=2", "GIFTSTATS_TIMEOUT=200ms"}})
	sig := userSig(t, "user1")
	user := basic("user1", sig)
	workload(t, w, user)
	for _, fault := range []simulator.Fault{
		{Code: 123456, Info: "nonsense"}, {Status: 502}, {CutBody: true}, {Reset: true}, {Body: []byte("<html>")}, {Latency: time.Minute},
		{Code: 70009, Info: "bad"}, // the last one, because it stops calls until the secret is read again
	} {
		fault.Times = 12
		w.engine.Misbehave(fault)
		workload(t, w, user)
		w.engine.Heal()
	}
	w.store.set("", errors.New("store is down"))
	workload(t, w, user)

	secrets := []string{
		fixture.SecretKey, base64.StdEncoding.EncodeToString([]byte(fixture.SecretKey)), fixture.APIKey,
		sig, user["Authorization"], strings.TrimPrefix(user["Authorization"], "Basic "),
	}
	for _, call := range w.engine.Calls() {
		sent := call.Query.Get("usersig")
		secrets = append(secrets, sent, url.QueryEscape(sent))
	}
	seen := w.log.String()
	for _, secret := range secrets {
		if secret == "" || strings.Contains(seen, secret) {
			t.Fatalf("%q is in the output", secret)
		}
	}
	for _, want := range []string{"upstream call", `"msg":"request"`, "upstream_timeout", "upstream_unavailable", "70009"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the workload did not reach %q", want)
		}
	}
}

// workload sends requests of many kinds in all event forms, and appends the responses to the log.
func workload(t *testing.T, w *world, user map[string]string) {
	t.Helper()
	const (
		giftStats = "/v1/gift-stats"
		batch     = `{"queries":[{"room_id":"room_id","account":"user1"},{"room_id":"no","account":"user1"},{"room_id":"","account":""}]}`
	)
	room, key := url.Values{"room_id": {"room_id"}}, bearer(fixture.APIKey)
	for _, request := range []eventtest.Request{
		fixture.Sample(),
		{Method: "POST", Path: giftStats, Header: key, Body: batch},
		{Path: "/v1/room-stats", Query: room, Header: key},
		{Path: giftStats, Query: room, Header: user},
		{ // secrets where they do not belong
			Path: giftStats, Query: url.Values{"room_id": {"x"}, "usersig": {fixture.SecretKey}, "key": {fixture.APIKey}},
			Header: map[string]string{"Authorization": "Basic " + fixture.APIKey},
		},
		{Method: "POST", Path: giftStats, Header: key, Body: `{"queries":"` + fixture.SecretKey + `"}`},
		{Path: "/healthz"},
	} {
		response := w.ask(request)
		fmt.Fprintln(w.log, response.Body, response.Header())
		w.forms(t, w.app.Handler, func(_ string, form eventtest.Form, f function) {
			payload, err := f.Invoke(t.Context(), eventtest.Payload(t, form.Event(request)))
			if err != nil {
				t.Fatal(err)
			}
			w.log.Write(payload)
		})
	}
}

// Operators search by these fields of a request's line; docs/operations.md explains them.
func TestRequestLine(t *testing.T) {
	always := []string{
		"time", "level", "msg", "request_id", "function", "version", "cold_start", "route", "status", "duration_ms", "upstream_ms",
		"upstream_code", "upstream_request_id", "attempts", "room_id",
	}
	for _, test := range []struct {
		name, room string
		fields     []string
	}{
		{name: "success", room: "room_id", fields: always},
		{name: "failure", room: "no", fields: append([]string{"code", "errors"}, always...)},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			request := fixture.Sample()
			request.Query.Set("room_id", test.room)
			w.ask(request)
			line := requestLine(t, w)
			for _, field := range test.fields {
				if value, ok := line[field]; !ok || value == "" {
					t.Errorf("the line has no %s: %v", field, line)
				}
			}
			for field, value := range line {
				if _, nested := value.(map[string]any); nested && field != "_aws" {
					t.Errorf("%s is nested, want one level: %v", field, value)
				}
			}
		})
	}
}

// Without a response of upstream there is no upstream_code: the code 0 would read as success.
func TestRequestLineWithoutAnUpstreamResponse(t *testing.T) {
	w := newWorld(t, worldConfig{variables: []string{"GIFTSTATS_ATTEMPTS=1"}})
	w.engine.Misbehave(simulator.Fault{Reset: true})
	w.ask(fixture.Sample())
	line := requestLine(t, w)
	if code, ok := line["upstream_code"]; ok {
		t.Errorf("upstream_code = %v, want no such field", code)
	}
	if line["code"] != "upstream_unavailable" {
		t.Errorf("code = %v, want upstream_unavailable", line["code"])
	}
	if line["attempts"] != 1.0 {
		t.Errorf("attempts = %v, want 1", line["attempts"])
	}
}

// requestLine returns the fields of the one line about a request.
func requestLine(t *testing.T, w *world) map[string]any {
	t.Helper()
	var found []map[string]any
	for text := range strings.Lines(w.log.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if line["msg"] == "request" {
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d lines about a request, want one: %s", len(found), w.log)
	}
	return found[0]
}
