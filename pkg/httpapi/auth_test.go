package httpapi_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
)

func TestAuthChoices(t *testing.T) {
	withKey, without := get(oneAccount), getAs("", oneAccount)
	withSig := getAs(basic("host", sigOf(t, "host", fakeKey)), "/v1/gift-stats?room_id=r")
	for _, test := range []struct {
		name       string
		auth       httpapi.Auth
		call       call
		want       int // status
		challenges int
	}{
		{name: "api-key, key", auth: httpapi.Auth{APIKey: true}, call: withKey, want: 200},
		{name: "api-key, UserSig", auth: httpapi.Auth{APIKey: true}, call: withSig, want: 401, challenges: 1},
		{name: "api-key, nothing", auth: httpapi.Auth{APIKey: true}, call: without, want: 401, challenges: 1},
		{name: "usersig, key", auth: httpapi.Auth{UserSig: true}, call: withKey, want: 401, challenges: 1},
		{name: "usersig, UserSig", auth: httpapi.Auth{UserSig: true}, call: withSig, want: 200},
		{name: "usersig, nothing", auth: httpapi.Auth{UserSig: true}, call: without, want: 401, challenges: 1},
		{name: "both, key", auth: httpapi.Auth{APIKey: true, UserSig: true}, call: withKey, want: 200},
		{name: "both, UserSig", auth: httpapi.Auth{APIKey: true, UserSig: true}, call: withSig, want: 200},
		{name: "both, nothing", auth: httpapi.Auth{APIKey: true, UserSig: true}, call: without, want: 401, challenges: 2},
		{name: "open, key", auth: httpapi.Auth{Open: true}, call: withKey, want: 200},
		{name: "open, UserSig does not replace the account", auth: httpapi.Auth{Open: true}, call: withSig, want: 400},
		{name: "open, nothing", auth: httpapi.Auth{Open: true}, call: without, want: 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) { c.Auth = test.auth })
			response := send(h, test.call)
			if response.Code != test.want {
				t.Errorf("%d, want %d: %s", response.Code, test.want, response.Body)
			}
			if got := len(response.Header().Values("WWW-Authenticate")); got != test.challenges {
				t.Errorf("%d challenges, want %d", got, test.challenges)
			}
		})
	}
}

func TestTwoAuthorizationHeaders(t *testing.T) {
	r := get(oneAccount).request()
	r.Header.Add("Authorization", "Bearer other")
	response := httptest.NewRecorder()
	newHandler(t, engine{}, document, io.Discard, nil).ServeHTTP(response, r)
	got := problemIn(t, response)
	if got.Code != giftstats.CodeUnauthenticated || !strings.Contains(got.Detail, "more than one Authorization header") {
		t.Errorf("%s", response.Body)
	}
}
