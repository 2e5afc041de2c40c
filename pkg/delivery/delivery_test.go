package delivery_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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

var message = delivery.Message{
	ID:   "live-1",
	Type: "stream.summary",
	At:   time.Unix(1_700_000_000, 0).UTC(),
	Body: []byte(`{"type":"stream.summary","n":12345678901234567890}`),
}

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
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &log)
	}
	if line.Msg != "stream.summary" || line.EventID != "live-1" {
		t.Errorf("logged %q with event_id %q", line.Msg, line.EventID)
	}
	if string(line.Summary) != string(message.Body) {
		t.Errorf("the summary is %s, want %s", line.Summary, message.Body)
	}
}

// receiver verifies each delivery and answers with the next of its statuses, or with the last one if there are no more.
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

func newHTTPS(t *testing.T, config delivery.HTTPSConfig) delivery.Deliverer {
	t.Helper()
	d, err := delivery.NewHTTPS(config)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNewHTTPSChecks(t *testing.T) {
	good := key(fakeKey, nil)
	for _, test := range []struct {
		name   string
		config delivery.HTTPSConfig
		want   string
	}{
		{name: "no URL", config: delivery.HTTPSConfig{Key: good}, want: "URL must be like https://host/path"},
		{name: "invalid URL", config: delivery.HTTPSConfig{URL: "https://hidden.example/%zz", Key: good}, want: "URL must be like"},
		{name: "no host", config: delivery.HTTPSConfig{URL: "https:///hidden", Key: good}, want: "URL must be like"},
		{name: "http", config: delivery.HTTPSConfig{URL: "http://hidden.example", Key: good}, want: "URL must start with https://"},
		{name: "no key", config: delivery.HTTPSConfig{URL: "https://h"}, want: "Key is required"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := delivery.NewHTTPS(test.config)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if strings.Contains(fmt.Sprint(err), "hidden") {
				t.Errorf("the URL is in the error: %v", err)
			}
		})
	}
	if _, err := delivery.NewHTTPS(delivery.HTTPSConfig{URL: "http://127.0.0.1:8080/path?token=t", Key: good}); err != nil {
		t.Errorf("http to a loopback host: %v", err)
	}
}

func TestHTTPS(t *testing.T) {
	for _, test := range []struct {
		name     string
		statuses []int
		header   http.Header
		deadline time.Duration
		calls    int
		ok       bool
		refused  bool          // the error is permanent
		waits    time.Duration // at least this long between the first two calls
	}{
		{name: "accepted", statuses: []int{200}, calls: 1, ok: true},
		{name: "accepted with another 2xx", statuses: []int{204}, calls: 1, ok: true},
		{name: "down once", statuses: []int{503, 200}, calls: 2, ok: true},
		{name: "down permanently", statuses: []int{500}, calls: 3},
		{name: "gone", statuses: []int{410, 200}, calls: 1, refused: true},
		{name: "unauthorized", statuses: []int{401, 200}, calls: 1, refused: true},
		{name: "time-out at the receiver", statuses: []int{408, 200}, calls: 2, ok: true},
		{name: "too early", statuses: []int{425, 200}, calls: 2, ok: true},
		{name: "too many", statuses: []int{429, 200}, header: http.Header{"Retry-After": {"3"}}, calls: 2, ok: true, waits: 3 * time.Second},
		{name: "too many for a long time", statuses: []int{429, 200}, header: http.Header{"Retry-After": {"600"}}, calls: 1},
		{
			name:     "too many until a date",
			statuses: []int{429, 200},
			header:   http.Header{"Retry-After": {"Sat, 01 Jan 2000 00:00:03 GMT"}}, // synctest's clock starts at 00:00:00
			calls:    2,
			ok:       true,
			waits:    3 * time.Second,
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
				d := newHTTPS(t, delivery.HTTPSConfig{
					URL:       "https://hooks.example/secret-path?token=hidden",
					Key:       key(fakeKey, nil),
					UserAgent: "giftstats/test",
					Transport: r,
				})
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				err := d.Deliver(ctx, message)
				if (err == nil) != test.ok {
					t.Errorf("error %v, want success: %v", err, test.ok)
				}
				if permanent.Is(err) != test.refused {
					t.Errorf("error %v is permanent: %v, want %v", err, permanent.Is(err), test.refused)
				}
				if len(r.calls) != test.calls {
					t.Fatalf("%d calls, want %d", len(r.calls), test.calls)
				}
				for _, secret := range []string{"hidden", "secret-path", fakeKey} {
					if strings.Contains(fmt.Sprint(err), secret) {
						t.Errorf("a secret is in the error: %v", err)
					}
				}
				for _, header := range r.calls {
					checkHeader(t, header)
				}
				if test.waits > 0 && r.times[1].Sub(r.times[0]) < test.waits {
					t.Errorf("retried after %v, want at least %v", r.times[1].Sub(r.times[0]), test.waits)
				}
			})
		})
	}
}

func checkHeader(t *testing.T, header http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"webhook-id":   "live-1",
		"Content-Type": "application/json",
		"User-Agent":   "giftstats/test",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
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
		{name: "not base64", url: "https://h", key: key("whsec_%%%", nil), want: "delivery_key of the secret document must be whsec_"},
		{
			name: "network",
			url:  "https://h/hidden",
			key:  key(fakeKey, nil),
			err:  errors.New("connection refused"),
			want: "h cannot be reached: connection refused",
		},
		{
			name: "certificate",
			url:  "https://h/hidden",
			key:  key(fakeKey, nil),
			err:  &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
			want: "the certificate of h is not trusted: tls: failed to verify certificate: x509: certificate signed by unknown authority",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{err: test.err, statuses: []int{200}}
				err := newHTTPS(t, delivery.HTTPSConfig{URL: test.url, Key: test.key, Transport: r}).Deliver(t.Context(), message)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %q", err, test.want)
				}
				if strings.Contains(fmt.Sprint(err), "hidden") {
					t.Errorf("the path is in the error: %v", err)
				}
			})
		})
	}
}

// talkative answers with as much text as a receiver likes.
type talkative struct {
	status int
	text   string
	err    error
}

func (r talkative) RoundTrip(*http.Request) (*http.Response, error) {
	if r.err != nil {
		return nil, r.err
	}
	return &http.Response{StatusCode: r.status, Status: fmt.Sprint(r.status) + " " + r.text, Body: http.NoBody}, nil
}

// A receiver must not be able to write into the log what it likes.
func TestHTTPSDoesNotRepeatWhatTheReceiverSays(t *testing.T) {
	text := strings.Repeat("\x1b[31m", 10_000)
	for _, test := range []struct {
		name     string
		receiver talkative
		want     string
	}{
		{name: "known status", receiver: talkative{status: 410, text: text}, want: "h answered with 410 Gone"},
		{name: "unknown status", receiver: talkative{status: 499, text: text}, want: "h answered with 499"},
		{
			name:     "malformed answer, which net/http quotes",
			receiver: talkative{err: errors.New("malformed HTTP response " + text)}, want: "h cannot be reached: malformed HTTP response ",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newHTTPS(t, delivery.HTTPSConfig{URL: "https://h", Key: key(fakeKey, nil), Transport: test.receiver})
				err := d.Deliver(t.Context(), message)
				if err == nil || !strings.HasPrefix(err.Error(), test.want) {
					t.Fatalf("error %.100v, want %q", err, test.want)
				}
				if len(err.Error()) > 300 {
					t.Errorf("the error has %d bytes", len(err.Error()))
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
		started := time.Now()
		err := newHTTPS(t, delivery.HTTPSConfig{URL: "https://h", Key: key(fakeKey, nil), Transport: r}).Deliver(ctx, message)
		if err == nil {
			t.Error("no error although the context was cancelled")
		}
		if took := time.Since(started); took != time.Second {
			t.Errorf("took %v, want 1 s", took)
		}
	})
}

func TestHTTPSOverTheWire(t *testing.T) {
	accepted := make(chan []byte, 1)
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
		accepted <- body
	}))
	defer server.Close()
	if err := newHTTPS(t, delivery.HTTPSConfig{URL: server.URL, Key: key(fakeKey, nil)}).Deliver(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if body := <-accepted; !bytes.Equal(body, message.Body) {
		t.Errorf("received %s, want %s", body, message.Body)
	}
}

type fixed struct{ err error }

func (f fixed) Deliver(context.Context, delivery.Message) error { return f.err }

func TestToAll(t *testing.T) {
	down := errors.New("down")
	receivers := []delivery.Receiver{{Name: "a", Deliverer: fixed{}}, {Name: "b", Deliverer: fixed{down}}, {Name: "c", Deliverer: fixed{}}}
	errs := delivery.ToAll(t.Context(), receivers, message)
	if len(errs) != 3 || errs[0] != nil || errs[2] != nil {
		t.Errorf("errors are %v, want success of the first and the last", errs)
	}
	if errs[1] != down {
		t.Errorf("the error of the second is %v, want %v", errs[1], down)
	}
	if errs := delivery.ToAll(t.Context(), nil, message); len(errs) != 0 {
		t.Errorf("without receivers, errors are %v", errs)
	}
}

func ExampleToAll() {
	receivers := []delivery.Receiver{
		{Name: "log", Deliverer: fixed{}},
		{Name: "hooks", Deliverer: fixed{permanent.Error(errors.New("hooks.example answered with 410 Gone"))}},
	}
	fmt.Println(delivery.ToAll(context.Background(), receivers, message))
	// Output: [<nil> hooks.example answered with 410 Gone]
}
