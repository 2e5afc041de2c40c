package gateway_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/giftstats/giftstats/pkg/gateway"
)

func TestResponseIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	type writer = http.ResponseWriter
	for _, test := range []struct {
		name    string
		method  string // empty means GET
		handler func(w writer)
		status  int
		body    string
		header  string
	}{
		{name: "nothing", handler: func(writer) {}, status: 200, header: "map[]"},
		{
			name:    "implicit 200",
			handler: func(w writer) { io.WriteString(w, "{}"); io.WriteString(w, "!") },
			status:  200, body: "{}!", header: "map[Content-Type:[text/plain; charset=utf-8]]",
		},
		{name: "second status", handler: func(w writer) { w.WriteHeader(404); w.WriteHeader(200) }, status: 404, header: "map[]"},
		{name: "status after body", handler: func(w writer) { w.Write(nil); w.WriteHeader(500) }, status: 200, header: "map[]"},
		{name: "informational status", handler: func(w writer) { w.WriteHeader(103); w.WriteHeader(201) }, status: 201, header: "map[]"},
		{
			name: "headers after the status",
			handler: func(w writer) {
				w.Header().Add("A", "1")
				w.WriteHeader(200)
				w.Header().Add("A", "2")
				w.Header().Set("B", "3")
			},
			status: 200, header: "map[A:[1]]",
		},
		{
			name:    "repeated headers",
			handler: func(w writer) { w.Header()["A"] = []string{"2", "1"} },
			status:  200, header: "map[A:[2 1]]",
		},
		{
			name: "headers of the connection",
			handler: func(w writer) {
				w.Header().Set("Content-Length", "1")
				w.Header().Set("Connection", "close")
				w.Header().Set("Content-Type", "a/b")
				w.Write([]byte("x"))
			},
			status: 200, body: "x", header: "map[Content-Type:[a/b]]",
		},
		{
			name: "HEAD", method: "HEAD",
			handler: func(w writer) {
				if n, err := w.Write([]byte("x")); n != 1 || err != nil {
					panic("Write must report success")
				}
			},
			status: 200, header: "map[]",
		},
		{
			name: "status that allows no body",
			handler: func(w writer) {
				w.WriteHeader(304)
				if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrBodyNotAllowed) {
					panic("Write must fail")
				}
			},
			status: 304, header: "map[]",
		},
		{
			name:    "content type suppressed",
			handler: func(w writer) { w.Header()["Content-Type"] = nil; w.Write([]byte("x")) },
			status:  200, body: "x", header: "map[]",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request := gateway.Request{Method: test.method, Path: "/"}
			got := serve(t, request, func(w http.ResponseWriter, _ *http.Request) { test.handler(w) })
			equal(t, "status", got.Status, test.status)
			equal(t, "body", string(got.Body), test.body)
			equal(t, "header", fmt.Sprint(got.Header), test.header)
		})
	}
}
