package app_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
)

// Browsers get the same answers through every gateway: to the preflight, to a request that is refused, and to one that succeeds.
func TestBrowsersThroughEveryGateway(t *testing.T) {
	const page = "https://app.example.com"
	w := newWorld(t, worldConfig{variables: []string{"GIFTSTATS_CORS_ORIGINS=https://admin.example.com," + page}})
	credentials := basic("user1", userSig(t, "user1"))["Authorization"]
	query := url.Values{"room_id": {"room_id"}}
	w.forms(t, w.app.Handler, func(name string, form eventtest.Form, f function) {
		for _, test := range []struct {
			name   string
			method string
			header map[string]string
			status int
			want   map[string]string
		}{
			{
				name: "preflight", method: http.MethodOptions, status: http.StatusNoContent,
				header: map[string]string{"origin": page, "access-control-request-method": "GET", "access-control-request-headers": "authorization"},
				want: map[string]string{
					"access-control-allow-origin": page, "access-control-allow-methods": "GET, POST, HEAD", "access-control-max-age": "7200",
					"access-control-allow-headers": "Accept, Authorization, Cache-Control, Content-Type", "vary": "Origin",
				},
			},
			{
				name: "no credentials", header: map[string]string{"origin": page}, status: http.StatusUnauthorized,
				want: map[string]string{
					"access-control-allow-origin": page, "content-type": "application/problem+json", "vary": "Origin",
					"access-control-expose-headers": "Age, Allow, Link, Retry-After, WWW-Authenticate, X-Request-Id",
				},
			},
			{
				name: "own numbers", header: map[string]string{"origin": page, "authorization": credentials}, status: http.StatusOK,
				want: map[string]string{"access-control-allow-origin": page, "content-type": "application/json", "vary": "Origin"},
			},
			{
				name: "page that is not listed", status: http.StatusOK,
				header: map[string]string{"origin": "https://evil.example", "authorization": credentials},
				want:   map[string]string{"access-control-allow-origin": "", "access-control-expose-headers": "", "vary": "Origin"},
			},
		} {
			request := eventtest.Request{Method: test.method, Path: "/v1/gift-stats", Query: query, Header: test.header}
			payload, err := f.Invoke(t.Context(), eventtest.Payload(t, form.Event(request)))
			if err != nil {
				t.Fatalf("%s, %s: %v", name, test.name, err)
			}
			answer := eventtest.Read(t, payload)
			if answer.Status != test.status {
				t.Errorf("%s, %s: status %d, want %d: %s", name, test.name, answer.Status, test.status, answer.Body)
			}
			for header, want := range test.want {
				if got := answer.Header[header]; got != want {
					t.Errorf("%s, %s: %s is %q, want %q", name, test.name, header, got, want)
				}
			}
		}
	})
}
