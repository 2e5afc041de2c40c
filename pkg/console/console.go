// Package console is the page at GET /: what a room earns now, and what streams have earned, for people who do not read JSON.
//
// Its files are plain HTML, CSS and one script in page/. The chart library in uPlot-1.6.32/ is as its authors publish it; the script and
// the style sheet that browsers load begin with those of the library. The program holds the files compressed, as gzip/ has them; after a
// change, run "go test ./pkg/console -run TestCompressedFiles -update". The page uses nothing but the public API, with an API key that
// the reader types in. The headers of every file forbid the browser to load or to run anything else.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed gzip
var compressed embed.FS

// File is one of the files of the page. It answers GET requests for it.
type File struct {
	Path        string // in the URL, without a base path
	name        string
	contentType string
}

// Files returns all files. The page itself has the path "/"; it refers to the others by relative URLs.
func Files() []File {
	return []File{
		{Path: "/", name: "index.html", contentType: "text/html; charset=utf-8"},
		{Path: "/console/console.css", name: "console.css", contentType: "text/css; charset=utf-8"},
		{Path: "/console/console.js", name: "console.js", contentType: "text/javascript; charset=utf-8"},
		{Path: "/console/icon.svg", name: "icon.svg", contentType: "image/svg+xml"},
	}
}

// policy allows what the page does: to load its own files, and to call the API that it came from. Trusted types are a second reason why
// no text from the API can become HTML: https://www.w3.org/TR/CSP3/ and https://www.w3.org/TR/trusted-types/
var policy = strings.Join([]string{
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
	"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
}, "; ")

// ServeHTTP sends the file, compressed if the client accepts gzip. The browser asks each time whether it has changed, so that a
// deployment takes effect at once.
func (f File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, err := compressed.ReadFile(path.Join("gzip", f.name+".gz"))
	if err != nil {
		panic(err) // a test reads every file
	}
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Add("Vary", "Accept-Encoding") // Origin may be in it already
	header.Set("X-Content-Type-Options", "nosniff")
	hash := sha256.Sum256(content)
	tag := base64.RawURLEncoding.EncodeToString(hash[:12])
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
		tag += "-gzip" // a strong tag is that of one encoding: RFC 9110, section 8.8.3.3
	} else {
		content = uncompressed(content)
	}
	tag = `"` + tag + `"`
	header.Set("ETag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		header.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", f.contentType)
	header.Set("Content-Length", fmt.Sprint(len(content)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(content) // an error means that the client closed the connection
	}
}

func uncompressed(content []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err == nil {
		content, err = io.ReadAll(reader)
	}
	if err != nil {
		panic(err) // a test uncompresses every file
	}
	return content
}

// acceptsGzip reads Accept-Encoding: RFC 9110, section 12.5.3.
func acceptsGzip(values []string) bool {
	for coding := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, weight, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(coding, " ", "")), ";")
		if name == "gzip" || name == "x-gzip" {
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

// matches reports whether If-None-Match names the tag: RFC 9110, section 13.1.2.
func matches(values []string, tag string) bool {
	tags := strings.Split(strings.Join(values, ","), ",")
	return slices.ContainsFunc(tags, func(given string) bool {
		given = strings.TrimPrefix(strings.TrimSpace(given), "W/")
		return given == tag || given == "*"
	})
}
