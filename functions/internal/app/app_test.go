package app_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/gateway/aws"
	"github.com/giftstats/giftstats/pkg/gateway/tencent"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
	"github.com/giftstats/giftstats/pkg/settings"
	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/telemetry/emf"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const (
	appID   = fixture.AppID
	fakeKey = fixture.SecretKey
	apiKey  = fixture.APIKey
)

// store holds the secret document of the simulated app.
type store struct {
	mu  sync.Mutex
	key string
	err error
}

func (s *store) set(key string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.err = key, err
}

func (s *store) Fetch(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(fixture.Document(s.key)), s.err
}

// world is an app, the simulator that it calls, and its secret store.
type world struct {
	app    *app.App
	engine *simulator.Engine
	store  *store
}

func metrics(handler slog.Handler) slog.Handler { return emf.Handler{Handler: handler} }

// newWorld makes a world with the room of the API page's sample; more variables and changes to the simulator may be given.
func newWorld(t testing.TB, log io.Writer, level slog.Level, change func(*simulator.Config), variables ...string) *world {
	t.Helper()
	engine, upstream := fixture.Engine(t, change)
	s, err := settings.Parse(append([]string{"GIFTSTATS_ENDPOINT=" + upstream, "GIFTSTATS_SECRET=env://NOT_USED", "GIFTSTATS_AUTH=api-key,usersig", "GIFTSTATS_RATE_LIMIT=10000"}, variables...), settings.AWS)
	if err != nil {
		t.Fatal(err)
	}
	held := &store{key: fakeKey}
	a, err := app.New(app.Config{Settings: s, Store: held, Log: log, Level: level, Function: "test", Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	return &world{a, engine, held}
}

// function is a cloud's function: an event in, an answer out.
type function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// forms are the events of both clouds, each with the function that takes it.
func forms(handler http.Handler, logger *slog.Logger, each func(name string, form eventtest.Form, f function)) {
	for _, form := range eventtest.AWS {
		each("AWS "+form.Name, form, must(aws.New(aws.Config{Handler: handler, Logger: logger})))
	}
	for _, form := range eventtest.Tencent {
		each("Tencent "+form.Name, form, must(tencent.New(tencent.Config{Handler: handler, Logger: logger})))
	}
}

func basic(t testing.TB, account string) string {
	t.Helper()
	sig, err := usersig.NewSigner(time.Now).Sign(usersig.Identity{SDKAppID: appID, Account: account, Key: fakeKey})
	if err != nil {
		t.Fatal(err)
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+sig))
}

func bearer(key string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + key, "Host": "example.com"}
}

func sample() eventtest.Request { return fixture.Sample() }

func TestMainJobInEveryForm(t *testing.T) {
	w := newWorld(t, io.Discard, slog.LevelInfo, nil)
	forms(w.app.Handler, w.app.Logger, func(name string, form eventtest.Form, f function) {
		t.Run(name, func(t *testing.T) {
			payload, err := f.Invoke(t.Context(), eventtest.Payload(t, form.Event(sample())))
			if err != nil {
				t.Fatal(err)
			}
			answer := eventtest.Read(t, payload)
			var stats giftstats.Stats
			if err := json.Unmarshal([]byte(answer.Body), &stats); err != nil || answer.Status != 200 || answer.Header["content-type"] != "application/json" {
				t.Fatalf("%v: %+v", err, answer)
			}
			if stats.TotalCount != 1 || stats.TotalCoins != 1 || stats.GiftSenderCount != 1 || *stats.Sequence != 1 || stats.UpstreamRequestID == "" {
				t.Errorf("%+v", stats)
			}
		})
	})
}

// Every row of the error table, provoked through the HTTP side in the event forms of both clouds.
func TestErrorTable(t *testing.T) {
	fault := func(f simulator.Fault) func(*world) {
		f.Times = -1
		return func(w *world) { w.engine.Misbehave(f) }
	}
	with := func(change func(*eventtest.Request)) eventtest.Request {
		r := sample()
		change(&r)
		return r
	}
	for _, row := range []struct {
		name      string
		request   eventtest.Request
		provoke   func(*world)
		variables []string
		deadline  time.Duration // of all forms together; 0: none
		want      giftstats.Code
		header    string // one that the answer must have
	}{
		{"missing field", with(func(r *eventtest.Request) { r.Query = nil }), nil, nil, 0, "invalid_request", ""},
		{"unknown parameter", with(func(r *eventtest.Request) { r.Query = url.Values{"x": {"1"}} }), nil, nil, 0, "invalid_request", ""},
		{"no JSON", with(func(r *eventtest.Request) { r.Method, r.Query, r.Body = "POST", nil, "nonsense" }), nil, nil, 0, "invalid_request", ""},
		{"no credentials", with(func(r *eventtest.Request) { r.Header = map[string]string{"Host": "example.com"} }), nil, nil, 0, "unauthenticated", "www-authenticate"},
		{"wrong credentials", with(func(r *eventtest.Request) { r.Header = bearer("wrong") }), nil, nil, 0, "unauthenticated", "www-authenticate"},
		{"another's numbers", with(func(r *eventtest.Request) { r.Header = map[string]string{"Authorization": basic(t, "user2")} }), nil, nil, 0, "forbidden", ""},
		{"no such path", with(func(r *eventtest.Request) { r.Path = "/v1/nothing" }), nil, nil, 0, "not_found", ""},
		{"method", with(func(r *eventtest.Request) { r.Method = "DELETE" }), nil, nil, 0, "method_not_allowed", "allow"},
		{"body too large", with(func(r *eventtest.Request) { r.Method, r.Query, r.Body = "POST", nil, strings.Repeat("x", 1<<20+1) }), nil, nil, 0, "payload_too_large", ""},
		{"content type", with(func(r *eventtest.Request) {
			r.Method, r.Query, r.Header = "POST", nil, map[string]string{"Authorization": "Bearer " + apiKey, "Content-Type": "text/xml"}
		}), nil, nil, 0, "unsupported_media_type", ""},
		{"no such room", with(func(r *eventtest.Request) { r.Query.Set("room_id", "other") }), nil, nil, 0, "room_not_found", ""},
		{"no such account", sample(), fault(simulator.Fault{Code: 70107}), nil, 0, "account_not_found", ""},
		{"upstream's limit", sample(), fault(simulator.Fault{Code: 60007}), nil, 0, "rate_limited", "retry-after"},
		{"our own limit", sample(), func(w *world) { w.app.Handler.ServeHTTP(httptest.NewRecorder(), request(sample())) }, []string{"GIFTSTATS_RATE_LIMIT=0.01"}, time.Minute, "rate_limited", "retry-after"},
		{"upstream calls it invalid", sample(), fault(simulator.Fault{Code: 100002}), nil, 0, "upstream_rejected", ""},
		{"wrong key", sample(), func(w *world) { w.store.set("another-not-real-key", nil) }, nil, 0, "upstream_credentials", ""},
		{"no administrator", sample(), fault(simulator.Fault{Code: 60010}), nil, 0, "upstream_credentials", ""},
		{"wrong region", sample(), fault(simulator.Fault{Code: 60026}), nil, 0, "upstream_config", ""},
		{"app disabled", sample(), fault(simulator.Fault{Code: 60017}), nil, 0, "upstream_suspended", ""},
		{"not JSON", sample(), fault(simulator.Fault{Body: []byte("<html>")}), nil, 0, "upstream_invalid_response", ""},
		{"totals missing", sample(), fault(simulator.Fault{Body: []byte(`{"ActionStatus":"OK","ErrorCode":0,"Response":{}}`)}), nil, 0, "upstream_invalid_response", ""},
		{"5xx", sample(), fault(simulator.Fault{Status: 503}), nil, 0, "upstream_unavailable", "retry-after"},
		{"cut off", sample(), fault(simulator.Fault{CutBody: true}), nil, 0, "upstream_unavailable", "retry-after"},
		{"reset", sample(), fault(simulator.Fault{Reset: true}), nil, 0, "upstream_unavailable", "retry-after"},
		{"server error", sample(), fault(simulator.Fault{Code: 100001}), nil, 0, "upstream_unavailable", "retry-after"},
		{"store down", sample(), func(w *world) { w.store.set("", errors.New("store is down")) }, nil, 0, "secret_unavailable", "retry-after"},
		{"every attempt too slow", sample(), fault(simulator.Fault{Latency: time.Minute}), []string{"GIFTSTATS_TIMEOUT=5ms"}, 0, "upstream_timeout", ""},
		{"deadline", sample(), func(w *world) {
			w.app.Secrets.Get(context.Background()) // so that it is the upstream that takes too long
			w.engine.Misbehave(simulator.Fault{Times: -1, Latency: time.Minute})
		}, nil, 40 * time.Millisecond, "upstream_timeout", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, io.Discard, slog.LevelInfo, nil, append([]string{"GIFTSTATS_ATTEMPTS=2"}, row.variables...)...)
			if row.provoke != nil {
				row.provoke(w)
			}
			ctx := t.Context()
			if row.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, row.deadline)
				defer cancel()
			}
			forms(w.app.Handler, w.app.Logger, func(name string, form eventtest.Form, f function) {
				payload, err := f.Invoke(ctx, eventtest.Payload(t, form.Event(row.request)))
				if err != nil {
					t.Fatalf("%s: an error of the invocation: %v", name, err)
				}
				checkProblem(t, name, eventtest.Read(t, payload), row.want, row.header)
			})
		})
	}
	t.Run("internal", func(t *testing.T) {
		w := newWorld(t, io.Discard, slog.LevelInfo, nil)
		broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("bug") })
		forms(broken, w.app.Logger, func(name string, form eventtest.Form, f function) {
			payload, err := f.Invoke(t.Context(), eventtest.Payload(t, form.Event(sample())))
			if err != nil {
				t.Fatal(err)
			}
			checkProblem(t, name, eventtest.Read(t, payload), giftstats.CodeInternal, "")
		})
	})
}

func checkProblem(t *testing.T, name string, answer eventtest.Answer, want giftstats.Code, header string) {
	t.Helper()
	var got problem.Details
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
		t.Fatalf("%s: no problem: %v in %s", name, err, answer.Body)
	}
	if got.Code != want {
		t.Errorf("%s: code %s, want %s: %s", name, got.Code, want, got.Detail)
	}
	if got.Status != problem.Status(want) || answer.Status != problem.Status(want) {
		t.Errorf("%s: status %d in the problem and %d of the answer, want %d", name, got.Status, answer.Status, problem.Status(want))
	}
	if got.Retryable != want.Retryable() {
		t.Errorf("%s: retryable is %v", name, got.Retryable)
	}
	if answer.Header["content-type"] != problem.ContentType {
		t.Errorf("%s: content type %q", name, answer.Header["content-type"])
	}
	if header != "" && answer.Header[header] == "" {
		t.Errorf("%s: no header %s in %+v", name, header, answer.Header)
	}
}

// request is the request without a gateway.
func request(r eventtest.Request) *http.Request {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	out := httptest.NewRequest(r.Method, r.Path+"?"+r.Query.Encode(), strings.NewReader(r.Body))
	for name, value := range r.Header {
		out.Header.Set(name, value)
	}
	return out
}

func TestRotationNeedsNoRestart(t *testing.T) {
	w := newWorld(t, io.Discard, slog.LevelInfo, nil)
	get := func() int {
		recorder := httptest.NewRecorder()
		w.app.Handler.ServeHTTP(recorder, request(sample()))
		return recorder.Code
	}
	if got := get(); got != 200 {
		t.Fatalf("before: %d", got)
	}
	if err := w.engine.SetSecretKey("another-not-real-key"); err != nil {
		t.Fatal(err)
	}
	w.store.set("another-not-real-key", nil)
	var callers sync.WaitGroup
	for range 8 { // as many wrong signatures at once as the simulator lets pass without shutting the app off
		callers.Go(func() {
			if got := get(); got != 200 {
				t.Errorf("after: %d", got)
			}
		})
	}
	callers.Wait()
}

// A mixed workload at debug level: no secret, UserSig or api key may be in the log, nor in any answer.
func TestNothingLeaks(t *testing.T) {
	var log bytes.Buffer
	locked := &lockedWriter{out: &log}
	w := newWorld(t, locked, slog.LevelDebug, nil, "GIFTSTATS_ATTEMPTS=2", "GIFTSTATS_TIMEOUT=50ms")
	userAuth := basic(t, "user1")
	ask := func(r eventtest.Request) {
		recorder := httptest.NewRecorder()
		w.app.Handler.ServeHTTP(recorder, request(r))
		locked.Write(recorder.Body.Bytes())
		for name, values := range recorder.Header() {
			locked.Write([]byte(name + strings.Join(values, ",")))
		}
		forms(w.app.Handler, w.app.Logger, func(_ string, form eventtest.Form, f function) {
			payload, _ := f.Invoke(t.Context(), eventtest.Payload(t, form.Event(r)))
			locked.Write(payload)
		})
	}
	batch := eventtest.Request{Method: "POST", Path: "/v1/gift-stats", Header: bearer(apiKey), Body: `{"queries":[{"room_id":"room_id","account":"user1"},{"room_id":"no","account":"user1"},{"room_id":"","account":""}]}`}
	workload := func() {
		ask(sample())
		ask(batch)
		ask(eventtest.Request{Path: "/v1/room-stats", Query: url.Values{"room_id": {"room_id"}}, Header: bearer(apiKey)})
		ask(eventtest.Request{Path: "/v1/gift-stats", Query: url.Values{"room_id": {"room_id"}}, Header: map[string]string{"Authorization": userAuth}})
		ask(eventtest.Request{Path: "/v1/gift-stats", Query: url.Values{"room_id": {"x"}, "usersig": {fakeKey}, "key": {apiKey}}, Header: map[string]string{"Authorization": "Basic " + apiKey}})
		ask(eventtest.Request{Method: "POST", Path: "/v1/gift-stats", Header: bearer(apiKey), Body: `{"queries":"` + fakeKey + `"}`})
		ask(eventtest.Request{Path: "/healthz"})
	}
	workload()
	for _, f := range []simulator.Fault{{Code: 70009, Info: "bad"}, {Code: 123456, Info: "nonsense"}, {Status: 502}, {CutBody: true}, {Reset: true}, {Body: []byte("<html>")}, {Latency: time.Minute}} {
		f.Times = 12
		w.engine.Misbehave(f)
		workload()
		w.engine.Heal()
	}
	w.store.set("", errors.New("store is down"))
	workload()

	secrets := []string{fakeKey, apiKey, userAuth, strings.TrimPrefix(userAuth, "Basic "), base64.StdEncoding.EncodeToString([]byte(fakeKey))}
	_, userSig, _ := strings.Cut(string(must(base64.StdEncoding.DecodeString(strings.TrimPrefix(userAuth, "Basic ")))), ":")
	secrets = append(secrets, userSig)
	for _, call := range w.engine.Calls() {
		secrets = append(secrets, call.Query.Get("usersig"), url.QueryEscape(call.Query.Get("usersig")))
	}
	seen := log.String()
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

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// lockedWriter is written to by the log and by the test.
type lockedWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lockedWriter) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(data)
}

func TestPrefetch(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, &lockedWriter{out: &log}, slog.LevelInfo, nil)
	w.app.Prefetch(t.Context())
	recorder := httptest.NewRecorder()
	w.app.Handler.ServeHTTP(recorder, request(sample()))
	if recorder.Code != 200 {
		t.Errorf("%d: %s", recorder.Code, recorder.Body)
	}
}

// The fields of the line about a request that operators search by; docs/operations.md explains them.
func TestRequestLine(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, &lockedWriter{out: &log}, slog.LevelInfo, nil)
	for _, r := range []eventtest.Request{sample(), {Path: "/v1/gift-stats", Query: url.Values{"room_id": {"no"}, "account": {"user1"}}, Header: bearer(apiKey)}} {
		w.app.Handler.ServeHTTP(httptest.NewRecorder(), request(r))
	}
	for i, line := range lines(t, log.String(), "request") {
		want := []string{"time", "level", "msg", "request_id", "function", "version", "cold_start", "route", "status", "duration_ms", "upstream_ms", "upstream_code", "upstream_request_id", "attempts", "room_id"}
		if i == 1 {
			want = append(want, "code", "errors")
		}
		for _, field := range want {
			if value, ok := line[field]; !ok || value == "" {
				t.Errorf("line %d has no %s: %v", i, field, line)
			}
		}
		for field, value := range line {
			if _, nested := value.(map[string]any); nested && field != "_aws" {
				t.Errorf("%s is not one level deep: %v", field, value)
			}
		}
	}
}

// Upstream's code 0 would read as its success.
func TestRequestLineWithoutAnAnswer(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, &lockedWriter{out: &log}, slog.LevelInfo, nil, "GIFTSTATS_ATTEMPTS=1")
	w.engine.Misbehave(simulator.Fault{Reset: true})
	w.app.Handler.ServeHTTP(httptest.NewRecorder(), request(sample()))
	line := lines(t, log.String(), "request")[0]
	if _, there := line["upstream_code"]; there || line["code"] != "upstream_unavailable" || line["attempts"] != 1.0 {
		t.Errorf("%v", line)
	}
}

// lines are those of a log with the given msg.
func lines(t *testing.T, log, msg string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for text := range strings.Lines(log) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if line["msg"] == msg {
			found = append(found, line)
		}
	}
	if len(found) == 0 {
		t.Fatalf("no line %q in %s", msg, log)
	}
	return found
}
