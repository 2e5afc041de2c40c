package gatewaytest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// mirror records a description of the request, and responds with everything in which the formats of responses differ.
type mirror struct {
	cookies []string
	request string
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.request = describe(r)
	w.Header().Set("Content-Type", "application/json")
	w.Header()["Www-Authenticate"] = []string{"Bearer", `Basic realm="a"`}
	w.Header()["Set-Cookie"] = m.cookies
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, `{"room_id":"房"}`)
}

// describe returns the request as text, with its body.
func describe(r *http.Request) string {
	body, _ := io.ReadAll(r.Body) // bodies of events are in memory
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\nfrom %s, host %s\nquery %v\n", r.Method, r.RequestURI, r.RemoteAddr, r.Host, r.URL.Query())
	r.Header.Write(&text)
	fmt.Fprintf(&text, "%q\n", body)
	return strings.ReplaceAll(text.String(), "\r", "")
}

// Response returns the response to an event whose handler is that of the golden events: it sets repeated headers and the cookies.
func (a Adapter) Response(t testing.TB, payload []byte) []byte {
	t.Helper()
	return a.Invoke(t, &mirror{cookies: a.Cookies}, payload)
}

// TestGolden checks each event in testdata against its golden file: the request that the handler receives, and the response in
// the format of the event's sender.
func (a Adapter) TestGolden(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			payload, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			handler := &mirror{cookies: a.Cookies, request: "not called\n"}
			var response bytes.Buffer
			if err := json.Indent(&response, a.Invoke(t, handler, payload), "", "  "); err != nil {
				t.Fatal(err)
			}
			compare(t, strings.TrimSuffix(file, ".json")+".golden", handler.request+"\n"+response.String()+"\n")
		})
	}
}

// compare compares got with the golden file, or rewrites the file if the flag -update is set.
func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
