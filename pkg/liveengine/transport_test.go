package liveengine_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/usersig"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func signedWith(sig, key string) bool {
	return usersig.Verify(sig, usersig.Identity{SDKAppID: 1400000000, Account: "administrator", Key: key}, time.Now()) == nil
}

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"china": "https://console.tim.qq.com", "singapore": "https://adminapisgp.im.qcloud.com", "usa": "https://adminapiusa.im.qcloud.com",
		"seoul": "https://adminapikr.im.qcloud.com", "frankfurt": "https://adminapiger.im.qcloud.com", "mumbai": "https://adminapiind.im.qcloud.com",
		"jakarta": "https://adminapiidn.im.qcloud.com", "https://adminapisgp.my-imcloud.com": "https://adminapisgp.my-imcloud.com",
		"https://proxy.example:8443/im/": "https://proxy.example:8443/im", "http://127.0.0.1:1": "http://127.0.0.1:1", "http://[::1]:1": "http://[::1]:1",
		"http://localhost:1": "http://localhost:1",
	} {
		if got, err := liveengine.ParseEndpoint(text); err != nil || got.String() != want {
			t.Errorf("%s gives %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "japan", "China", "console.tim.qq.com", "http://example.com", "http://127.0.0.1.example.com", "ftp://h", "https://", "https://u:p@h", "https://h?x", "https://h?", "https://h#f", "https://%zz"} {
		if got, err := liveengine.ParseEndpoint(text); err == nil {
			t.Errorf("%q gives %v", text, got)
		}
	}
	if !slices.IsSorted(liveengine.Regions()) || len(liveengine.Regions()) != 7 {
		t.Errorf("regions are %v", liveengine.Regions())
	}
}

func TestNoRedirects(t *testing.T) {
	var followed atomic.Bool
	mux := http.NewServeMux()
	mux.HandleFunc("/v4/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	s := httptest.NewServer(mux)
	defer s.Close()
	client := newClient(t, nil, &keyStore{key: fakeKey}, func(c *liveengine.Config) {
		c.Endpoint, _ = liveengine.ParseEndpoint(s.URL)
		c.HTTPClient = liveengine.NewHTTPClient()
	})
	if _, err := giftCount(t, client); !strings.Contains(err.Error(), "HTTP status 307") || followed.Load() {
		t.Errorf("error %v, followed: %v", err, followed.Load())
	}
}

func TestAStrangersCertificateIsRefused(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	client := newClient(t, nil, &keyStore{key: fakeKey}, func(c *liveengine.Config) {
		c.Endpoint, _ = liveengine.ParseEndpoint(s.URL)
		c.HTTPClient = liveengine.NewHTTPClient()
		c.Attempts = 1
	})
	client.Warm(t.Context())
	if _, err := giftCount(t, client); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v, want one of the certificate", err)
	}
}
