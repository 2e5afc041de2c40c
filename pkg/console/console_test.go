package console_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/console"
)

var update = flag.Bool("update", false, "write the compressed files")

const (
	library = "uPlot-1.6.32/"
	most    = 120_000 // bytes of all files together, uncompressed
)

// sources are what the compressed files are made of. Script and library are one file, because a gateway may allow few requests at once.
var sources = map[string][]string{
	"index.html":  {"page/index.html"},
	"console.css": {library + "uPlot.min.css", "page/console.css"},
	"console.js":  {library + "uPlot.iife.min.js", "page/console.js"},
	"icon.svg":    {"page/icon.svg"},
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// source returns what a compressed file must contain.
func source(t *testing.T, name string) string {
	t.Helper()
	var parts []string
	for _, file := range sources[name] {
		parts = append(parts, strings.TrimSuffix(read(t, file), "\n")+"\n")
	}
	return strings.Join(parts, "")
}

func unzip(t *testing.T, compressed []byte) string {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name string) {
	t.Helper()
	var out bytes.Buffer
	compressor, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = io.WriteString(compressor, source(t, name))
	}
	if err == nil {
		err = compressor.Close()
	}
	if err == nil {
		err = os.WriteFile("gzip/"+name+".gz", out.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The compressed files are those of the readable ones. They are not compared byte by byte, since another version of Go may compress
// differently.
func TestCompressedFiles(t *testing.T) {
	total := 0
	for name := range sources {
		if *update {
			write(t, name)
		}
		if unzip(t, []byte(read(t, "gzip/"+name+".gz"))) != source(t, name) {
			t.Errorf("gzip/%s.gz is not made of %v; run go test ./pkg/console -run TestCompressedFiles -update", name, sources[name])
		}
		total += len(source(t, name))
	}
	if total > most {
		t.Errorf("the files have %d bytes together, want at most %d", total, most)
	}
	entries, err := os.ReadDir("gzip")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(sources) {
		t.Errorf("gzip/ has %d files, want %d", len(entries), len(sources))
	}
}

// The library is what its authors have published: npm package uplot, version 1.6.32.
func TestLibraryIsUnchanged(t *testing.T) {
	for file, want := range map[string]string{
		"LICENSE":           "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
		"uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
		"uPlot.min.css":     "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
	} {
		hash := sha256.Sum256([]byte(read(t, library+file)))
		if got := hex.EncodeToString(hash[:]); got != want {
			t.Errorf("%s has the hash %s, want %s", file, got, want)
		}
	}
}

// Nothing can turn text into HTML or code, and the policy has nothing inline to allow.
func TestPageWritesOnlyText(t *testing.T) {
	sinks := regexp.MustCompile(
		`(?i:innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|ContextualFragment|srcdoc|setHTML|\beval\b)|\bFunction\(`)
	for _, name := range []string{"index.html", "console.js"} {
		if found := sinks.FindString(source(t, name)); found != "" {
			t.Errorf("%s has %q in it", name, found)
		}
	}
	inline := regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:|(src|href)="(https?:|/)`)
	if found := inline.FindString(read(t, "page/index.html")); found != "" {
		t.Errorf("page/index.html has %q in it", found)
	}
}

func get(t *testing.T, file console.File, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, file.Path, nil)
	request.Header = header
	response := httptest.NewRecorder()
	file.ServeHTTP(response, request)
	return response
}

func TestFiles(t *testing.T) {
	files := console.Files()
	if len(files) != len(sources) || files[0].Path != "/" {
		t.Fatalf("the files are %v, want those of %v, with the page first", files, sources)
	}
	page := source(t, "index.html")
	for i, file := range files {
		name := path.Base(file.Path)
		if i == 0 {
			name = "index.html"
		} else if !strings.Contains(page, `"`+strings.TrimPrefix(file.Path, "/")+`"`) {
			t.Errorf("the page does not refer to %s by a relative URL", file.Path)
		}
		t.Run(name, func(t *testing.T) {
			plain := get(t, file, nil)
			if plain.Body.String() != source(t, name) {
				t.Error("the file is not the source")
			}
			if got := plain.Header().Get("Content-Encoding"); got != "" {
				t.Errorf("Content-Encoding is %q without Accept-Encoding", got)
			}
			zipped := get(t, file, http.Header{"Accept-Encoding": {"br, gzip;q=0.5"}})
			if got := zipped.Header().Get("Content-Encoding"); got != "gzip" {
				t.Fatalf("Content-Encoding is %q, want gzip", got)
			}
			if unzip(t, zipped.Body.Bytes()) != source(t, name) {
				t.Error("the compressed file is not the source")
			}
			if plain.Header().Get("ETag") == zipped.Header().Get("ETag") {
				t.Error("both encodings have the same ETag")
			}
			wantHeaders(t, plain)
			wantHeaders(t, zipped)
		})
	}
}

func wantHeaders(t *testing.T, response *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-cache", "Referrer-Policy": "no-referrer", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	} {
		if got := response.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestAcceptEncoding(t *testing.T) {
	for value, want := range map[string]string{
		"gzip": "gzip", "GZIP ; q=0.8": "gzip", "gzip;q=1.0": "gzip", "deflate, x-gzip": "gzip",
		"": "", "br": "", "gzip;q=0": "", "gzip; q=0.000": "", "identity, notgzip": "",
	} {
		if got := get(t, console.Files()[0], http.Header{"Accept-Encoding": {value}}).Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q gives %q, want %q", value, got, want)
		}
	}
}

// A browser that has the file gets no body, until the file changes.
func TestNotModified(t *testing.T) {
	file := console.Files()[0]
	header := http.Header{"Accept-Encoding": {"gzip"}}
	tag := get(t, file, header).Header().Get("ETag")
	plainTag := get(t, file, nil).Header().Get("ETag")
	for value, want := range map[string]int{
		tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, plainTag: 200, strings.Trim(tag, `"`): 200, "": 200,
	} {
		header.Set("If-None-Match", value)
		response := get(t, file, header)
		if response.Code != want {
			t.Errorf("If-None-Match %s gives %d, want %d", value, response.Code, want)
		}
		if want == http.StatusNotModified && response.Body.Len() != 0 {
			t.Errorf("If-None-Match %s: the response has a body", value)
		}
		if response.Header().Get("ETag") != tag {
			t.Errorf("If-None-Match %s: ETag is %s, want %s", value, response.Header().Get("ETag"), tag)
		}
	}
}

func TestHeadHasNoBody(t *testing.T) {
	file := console.Files()[0]
	request := httptest.NewRequest(http.MethodHead, "/", nil)
	response := httptest.NewRecorder()
	file.ServeHTTP(response, request)
	if response.Body.Len() != 0 {
		t.Error("the response to HEAD has a body")
	}
	if got, want := response.Header().Get("Content-Length"), get(t, file, nil).Header().Get("Content-Length"); got != want {
		t.Errorf("Content-Length is %s, want %s", got, want)
	}
	if !slices.Contains(response.Header()["Content-Type"], "text/html; charset=utf-8") {
		t.Errorf("Content-Type is %s", response.Header()["Content-Type"])
	}
}
