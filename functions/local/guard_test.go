package main

import (
	"net/http"
	"strings"
	"testing"
)

// The keys of the sandbox are public, so a page on the internet must not reach it through the browser of a developer.
func TestSandboxRefusesPagesOfOthers(t *testing.T) {
	s := startSandboxTest(t, []string{"GIFTSTATS_CORS_ORIGINS=https://app.example.com"}, t.Output())
	port := s.site.url[strings.LastIndexByte(s.site.url, ':'):]
	for _, test := range []struct {
		name, method, path, host string
		header                   map[string]string
		want                     int
	}{
		{name: "curl", method: "POST", path: "/sandbox/reset", want: 200},
		{name: "a reset by another page", method: "POST", path: "/sandbox/reset", header: map[string]string{
			"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, want: 403},
		{name: "a reset by a file", method: "POST", path: "/sandbox/reset", header: map[string]string{"Origin": "null"}, want: 403},
		{name: "a webhook by another page", method: "POST", path: "/v1/webhooks/live", header: map[string]string{
			"Origin": "https://evil.example"}, want: 403},
		{name: "a call of Tencent by another page", method: "POST", path: "/v4/live_engine_http_srv/get_room_list",
			header: map[string]string{"Origin": "https://evil.example"}, want: 403},
		{name: "the developer's page", method: "POST", path: "/sandbox/reset", header: map[string]string{
			"Origin": "https://app.example.com", "Sec-Fetch-Site": "cross-site"}, want: 200},
		{name: "the page of giftstats", method: "GET", path: "/v1/streams", header: map[string]string{
			"Sec-Fetch-Site": "same-origin"}, want: 200},
		{name: "a name that leads here", method: "GET", path: "/v1/streams", host: "evil.example" + port, want: 403},
		{name: "a name without a port", method: "GET", path: "/sandbox/rooms", host: "evil.example", want: 403},
		{name: "a name that begins like an address", method: "GET", path: "/", host: "127.0.0.1.evil.example" + port, want: 403},
		{name: "localhost", method: "GET", path: "/sandbox/rooms", host: "LOCALHOST" + port, want: 200},
		{name: "IPv6", method: "GET", path: "/sandbox/rooms", host: "[::1]" + port, want: 200},
		{name: "a service of compose", method: "GET", path: "/sandbox/rooms", host: "giftstats:8080", want: 200},
		{name: "from a container", method: "GET", path: "/sandbox/rooms", host: "host.docker.internal" + port, want: 200},
	} {
		request, err := http.NewRequestWithContext(t.Context(), test.method, s.site.url+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+sandboxAPIKey)
		for name, value := range test.header {
			request.Header.Set(name, value)
		}
		if request.Host = test.host; test.host == "" {
			request.Host = request.URL.Host
		}
		status, answer, err := exchange(request)
		if err != nil {
			t.Fatal(err)
		}
		if status != test.want {
			t.Errorf("%s: status %d, want %d: %s", test.name, status, test.want, answer)
		}
		if test.want == http.StatusForbidden && !strings.Contains(answer, `"code":"forbidden"`) {
			t.Errorf("%s: the answer is %s", test.name, answer)
		}
	}
}
