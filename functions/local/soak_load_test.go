//go:build soak

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// soakTarget is a request of the load, and what may come of it.
type soakTarget struct {
	name   string
	method string
	path   string // %s stands for a room that is live, or was a moment ago
	noKey  bool
	header map[string]string
	body   string
	want   []string // statuses, and the codes of problems
	calls  bool     // Tencent is asked, so that its faults may show
}

// fromFaults are the answers that the faults explain.
var fromFaults = []string{
	"429 rate_limited", "502 upstream_invalid_response", "503 upstream_unavailable", "504 upstream_timeout",
}

// A room that is dissolved is not found until the end of its stream is recorded, and its totals are not found at all.
var soakTargets = []soakTarget{
	{
		name: "gift-stats", method: http.MethodGet, path: "/v1/gift-stats?room_id=%s&account=alice",
		want: []string{"200", "404 room_not_found"}, calls: true,
	},
	{
		name: "gift-stats-max-age", method: http.MethodGet, path: "/v1/gift-stats?room_id=%s&account=bob",
		header: map[string]string{"Cache-Control": "max-age=60"}, want: []string{"200", "404 room_not_found"}, calls: true,
	},
	{
		name: "batch", method: http.MethodPost, path: "/v1/gift-stats",
		body: `{"queries":[{"room_id":"%[1]s","account":"alice"},{"room_id":"%[1]s","account":"bob"},{"room_id":"none","account":"bob"}]}`,
		want: []string{"200"}, calls: true,
	},
	{
		name: "room-stats", method: http.MethodGet, path: "/v1/room-stats?room_id=%s",
		want: []string{"200", "404 room_not_found"}, calls: true,
	},
	{
		name: "top-senders", method: http.MethodGet, path: "/v1/top-senders?room_id=%s",
		want: []string{"200", "404 room_not_found"},
	},
	{name: "streams", method: http.MethodGet, path: "/v1/streams?limit=20", want: []string{"200"}},
	{
		name: "unknown-room", method: http.MethodGet, path: "/v1/gift-stats?room_id=none&account=alice",
		want: []string{"404 room_not_found"}, calls: true,
	},
	{name: "no-room", method: http.MethodGet, path: "/v1/gift-stats?account=alice", want: []string{"400 invalid_request"}},
	{name: "no-key", method: http.MethodGet, path: "/v1/room-stats?room_id=%s", noKey: true, want: []string{"401 unauthenticated"}},
	{name: "no-such-path", method: http.MethodGet, path: "/v1/nothing", want: []string{"404 not_found"}},
	{name: "wrong-method", method: http.MethodDelete, path: "/v1/streams", want: []string{"405 method_not_allowed"}},
	{name: "forged-webhook", method: http.MethodPost, path: "/v1/webhooks/live?Sign=00", body: `{}`, want: []string{"401 unauthenticated"}},
	{name: "health", method: http.MethodGet, path: "/healthz", noKey: true, want: []string{"200"}},
}

// attack runs vegeta against the server: one process that sends, and one that decodes its results.
func (s *soak) attack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), *soakTime+2*requestTime) // the last answers come after the load
	defer cancel()
	attack := exec.CommandContext(ctx, *vegeta, "attack", "-format=json", "-lazy", fmt.Sprintf("-rate=%d/1s", *soakRate),
		"-duration="+soakTime.String(), "-timeout=35s", "-max-workers=500", "-redirects=-1")
	encode := exec.CommandContext(ctx, *vegeta, "encode", "-to=json")
	attack.Stderr, encode.Stderr = os.Stderr, os.Stderr
	targets, err := attack.StdinPipe()
	results, err2 := attack.StdoutPipe()
	encode.Stdin = results
	lines, err3 := encode.StdoutPipe()
	if err := errors.Join(err, err2, err3, attack.Start(), encode.Start()); err != nil {
		s.t.Errorf("start %s: %v", *vegeta, err)
		return
	}
	go s.aim(ctx, targets)
	s.count(lines)
	if err := errors.Join(encode.Wait(), attack.Wait()); err != nil {
		s.t.Errorf("%s: %v", *vegeta, err)
	}
}

// aim writes targets until vegeta has enough of them: only half a second ahead, so that the rooms in them are live.
func (s *soak) aim(ctx context.Context, to io.Writer) {
	type target struct {
		Method string      `json:"method"`
		URL    string      `json:"url"`
		Header http.Header `json:"header"`
		Body   []byte      `json:"body,omitempty"`
	}
	encoder, began := json.NewEncoder(to), time.Now()
	for n := 0; ; n++ {
		pause(ctx, time.Until(began.Add(time.Duration(n)*time.Second/time.Duration(*soakRate)-time.Second/2)))
		of := soakTargets[n%len(soakTargets)]
		s.mu.Lock()
		room := s.live[n/len(soakTargets)%stages]
		s.mu.Unlock()
		// The fragment is not sent, but comes back with the result.
		one := target{Method: of.method, URL: s.server.url() + insert(of.path, room) + "#" + of.name, Header: http.Header{}}
		if of.body != "" {
			one.Header.Set("Content-Type", "application/json")
			one.Body = []byte(insert(of.body, room))
		}
		for name, value := range of.header {
			one.Header.Set(name, value)
		}
		if !of.noKey {
			one.Header.Set("Authorization", "Bearer "+s.server.demo.apiKey)
		}
		if encoder.Encode(one) != nil {
			return
		}
	}
}

func insert(text, room string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	return fmt.Sprintf(text, room)
}

// count fills the error table.
func (s *soak) count(lines io.Reader) {
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, 4<<20)
	for scanner.Scan() {
		var result struct {
			URL   string
			Code  int
			Error string
			Body  []byte
		}
		if err := json.Unmarshal(scanner.Bytes(), &result); err != nil {
			s.t.Errorf("a result of vegeta: %v", err)
			return
		}
		_, name, _ := strings.Cut(result.URL, "#")
		one := hit{target: name, status: result.Code}
		if result.Code == 0 {
			one.code = result.Error
		} else if result.Code >= 400 {
			var problem struct{ Code string }
			if err := json.Unmarshal(result.Body, &problem); err != nil {
				problem.Code = "no problem+json"
			}
			one.code = problem.Code
		}
		s.hits[one]++
	}
	if err := scanner.Err(); err != nil {
		s.t.Errorf("the results of vegeta: %v", err)
	}
}

// checkHits checks that each answer is one that the request or a fault explains, and that each fault has shown.
func (s *soak) checkHits() {
	seen, total := map[string]bool{}, 0
	for one, n := range s.hits {
		answer := strings.TrimSpace(fmt.Sprint(one.status, " ", one.code))
		seen[answer] = true
		total += n
		i := slices.IndexFunc(soakTargets, func(of soakTarget) bool { return of.name == one.target })
		if i < 0 {
			s.t.Errorf("%d results for the unknown target %q", n, one.target)
			continue
		}
		of := soakTargets[i]
		if !slices.Contains(of.want, answer) && !(of.calls && slices.Contains(fromFaults, answer)) {
			s.t.Errorf("%s was answered %d times with %s", one.target, n, answer)
		}
	}
	for _, answer := range fromFaults {
		if !seen[answer] {
			s.t.Errorf("no request was answered with %s: the faults do not show", answer)
		}
	}
	if want := int(soakTime.Seconds()) * *soakRate; total < want*9/10 {
		s.t.Errorf("%d requests were sent, want %d at %d/s for %v", total, want, *soakRate, soakTime.Round(time.Second))
	}
}
