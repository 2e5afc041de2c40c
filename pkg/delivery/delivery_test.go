package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/permanent"
)

const fakeKey = "whsec_bm90LWEtcmVhbC1kZWxpdmVyeS1rZXkh"

var message = delivery.Message{ID: "live-1", Type: "stream.summary", At: time.Unix(1_700_000_000, 0).UTC(), Body: []byte(`{"type":"stream.summary","n":12345678901234567890}`)}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	if err := delivery.Log(slog.New(slog.NewJSONHandler(&log, nil))).Deliver(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	var line struct {
		Msg     string
		EventID string `json:"event_id"`
		Summary json.RawMessage
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Msg != "stream.summary" || line.EventID != "live-1" || string(line.Summary) != string(message.Body) {
		t.Errorf("%v: %s", err, &log)
	}
}

// receiver answers with the next of its statuses, the last one for ever; it verifies what it is sent.
type receiver struct {
	statuses []int
	header   http.Header
	err      error

	mu    sync.Mutex
	calls []http.Header
	times []time.Time
}

func (r *receiver) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, _ := io.ReadAll(request.Body)
	r.calls = append(r.calls, request.Header)
	r.times = append(r.times, time.Now())
	if r.err != nil {
		return nil, r.err
	}
	verifier, err := standardwebhooks.NewWebhook(fakeKey)
	if err != nil {
		return nil, err
	}
	if err := verifier.VerifyIgnoringTimestamp(body, request.Header); err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	for name, values := range r.header {
		recorder.Header()[name] = values
	}
	recorder.WriteHeader(r.statuses[min(len(r.calls), len(r.statuses))-1])
	return recorder.Result(), nil
}

func key(secret string, err error) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return secret, err }
}

func TestHTTPS(t *testing.T) {
	for _, test := range []struct {
		name     string
		statuses []int
		header   http.Header
		deadline time.Duration
		calls    int
		ok       bool
		refused  bool
	}{
		{name: "taken", statuses: []int{200}, calls: 1, ok: true},
		{name: "taken with another 2xx", statuses: []int{204}, calls: 1, ok: true},
		{name: "down once", statuses: []int{503, 200}, calls: 2, ok: true},
		{name: "down for good", statuses: []int{500}, calls: 3},
		{name: "gone", statuses: []int{410, 200}, calls: 1, refused: true},
		{name: "unauthorized", statuses: []int{401, 200}, calls: 1, refused: true},
		{name: "time-out at the receiver", statuses: []int{408, 200}, calls: 2, ok: true},
		{name: "too early", statuses: []int{425, 200}, calls: 2, ok: true},
		{name: "too many", statuses: []int{429, 200}, header: http.Header{"Retry-After": {"3"}}, calls: 2, ok: true},
		{name: "too many for a long time", statuses: []int{429, 200}, header: http.Header{"Retry-After": {"600"}}, calls: 1},
		{
			name:     "too many until a date",
			statuses: []int{429, 200},
			header:   http.Header{"Retry-After": {"Sat, 01 Jan 2000 00:00:03 GMT"}},
			calls:    2,
			ok:       true,
		},
		{
			name:     "too many until a date too far away",
			statuses: []int{429, 200},
			header:   http.Header{"Retry-After": {"Sat, 01 Jan 2000 00:10:00 GMT"}},
			calls:    1,
		},
		{name: "too many, and no time", statuses: []int{429, 200}, header: http.Header{"Retry-After": {"3"}}, deadline: time.Second, calls: 1},
		{name: "redirect", statuses: []int{302, 200}, header: http.Header{"Location": {"https://elsewhere.example"}}, calls: 2, ok: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{statuses: test.statuses, header: test.header}
				d := delivery.HTTPS(delivery.HTTPSConfig{URL: "https://hooks.example/secret-path?token=hidden", Key: key(fakeKey, nil), UserAgent: "giftstats/test", Transport: r})
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				err := d.Deliver(ctx, message)
				if (err == nil) != test.ok || permanent.Is(err) != test.refused || len(r.calls) != test.calls {
					t.Errorf("%v (refused: %v) after %d calls", err, permanent.Is(err), len(r.calls))
				}
				if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "secret-path") || strings.Contains(err.Error(), fakeKey)) {
					t.Errorf("a secret is in the error: %v", err)
				}
				for _, header := range r.calls {
					if header.Get("webhook-id") != "live-1" || header.Get("Content-Type") != "application/json" || header.Get("User-Agent") != "giftstats/test" {
						t.Errorf("headers %v", header)
					}
				}
				if (test.name == "too many" || test.name == "too many until a date") && r.times[1].Sub(r.times[0]) < 3*time.Second {
					t.Error("Retry-After was not honoured")
				}
			})
		})
	}
}

func TestHTTPSFailures(t *testing.T) {
	for _, test := range []struct {
		name, url string
		key       func(context.Context) (string, error)
		err       error
		want      string
	}{
		{name: "no key", url: "https://h", key: key("", nil), want: "has no delivery_key to sign with"},
		{name: "secret down", url: "https://h", key: key("", errors.New("store is down")), want: "store is down"},
		{name: "no base64", url: "https://h", key: key("whsec_%%%", nil), want: "delivery_key of the secret document is not whsec_"},
		{
			name: "network",
			url:  "https://h/hidden",
			key:  key(fakeKey, nil),
			err:  errors.New("connection refused"),
			want: "h cannot be reached: connection refused",
		},
		{name: "no URL", url: "https://%zz", key: key(fakeKey, nil), want: "the URL to deliver to is none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := delivery.HTTPS(delivery.HTTPSConfig{URL: test.url, Key: test.key, Transport: &receiver{err: test.err, statuses: []int{200}}})
				err := d.Deliver(t.Context(), message)
				if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hidden") {
					t.Errorf("%v, want %q", err, test.want)
				}
			})
		})
	}
}

func TestHTTPSEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &receiver{statuses: []int{429}, header: http.Header{"Retry-After": {"9"}}}
		time.AfterFunc(time.Second, cancel)
		begun := time.Now()
		if err := delivery.HTTPS(delivery.HTTPSConfig{URL: "https://h", Key: key(fakeKey, nil), Transport: r}).Deliver(ctx, message); err == nil || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestHTTPSOverTheWire(t *testing.T) {
	taken := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verifier, err := standardwebhooks.NewWebhook(fakeKey)
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		taken <- body
	}))
	defer server.Close()
	if err := delivery.HTTPS(delivery.HTTPSConfig{URL: server.URL, Key: key(fakeKey, nil)}).Deliver(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if body := <-taken; !bytes.Equal(body, message.Body) {
		t.Errorf("%s", body)
	}
}

type fixed struct{ err error }

func (f fixed) Deliver(context.Context, delivery.Message) error { return f.err }

func TestAll(t *testing.T) {
	down, gone := errors.New("down"), permanent.Error(errors.New("gone"))
	for _, test := range []struct {
		name    string
		errs    []error
		ok      bool
		refused bool
	}{
		{name: "all take it", errs: []error{nil, nil}, ok: true},
		{name: "one alone", errs: []error{nil}, ok: true},
		{name: "one is down", errs: []error{nil, down}},
		{name: "one refuses", errs: []error{nil, gone}, refused: true},
		{name: "one refuses, one may take it later", errs: []error{gone, down}},
		{name: "both refuse", errs: []error{gone, fmt.Errorf("wrapped: %w", gone)}, refused: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var receivers []delivery.Deliverer
			for _, err := range test.errs {
				receivers = append(receivers, fixed{err})
			}
			err := delivery.All(receivers...).Deliver(t.Context(), message)
			if (err == nil) != test.ok || permanent.Is(err) != test.refused {
				t.Errorf("%v, refused: %v", err, permanent.Is(err))
			}
		})
	}
}

func ExampleAll() {
	both := delivery.All(fixed{}, fixed{permanent.Error(errors.New("hooks.example answered with 410 Gone"))})
	fmt.Println(both.Deliver(context.Background(), message))
	// Output: hooks.example answered with 410 Gone
}
