package httpapi

import (
	"net/http"
	"slices"
	"strings"
)

// What pages of allowed origins may send and read, in addition to what browsers allow anyway.
const (
	corsRequestHeaders  = "Accept, Authorization, Cache-Control, Content-Type"
	corsResponseHeaders = "Age, Allow, Link, Retry-After, WWW-Authenticate, X-Request-Id"
	corsMaxAge          = "7200" // seconds; Chromium does not keep the answer to a preflight for longer
)

// allowOrigin lets the page that sent the request read the response, and returns true, if the origin of the page is listed. Webhooks are
// excluded, because no page sends them. Access-Control-Allow-Credentials is not set: callers authenticate by the header Authorization,
// which the page sets itself, not by cookies.
//
// Source: https://fetch.spec.whatwg.org/#http-cors-protocol
func (a *api) allowOrigin(x *exchange, path string) bool {
	if len(a.config.CORSOrigins) == 0 {
		return false
	}
	header := x.Header()
	header.Add("Vary", "Origin") // for caches, also if the request has no Origin
	origins := x.request.Header.Values("Origin")
	if len(origins) != 1 || !slices.Contains(a.config.CORSOrigins, origins[0]) || strings.HasPrefix(path, webhookPaths) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origins[0])
	header.Set("Access-Control-Expose-Headers", corsResponseHeaders)
	return true
}

// isPreflight reports whether the request is a browser's question whether a page may send another request.
func (x *exchange) isPreflight() bool {
	return x.request.Method == http.MethodOptions && x.request.Header.Get("Access-Control-Request-Method") != ""
}

// answerPreflight does not check credentials, because a preflight has none.
func (x *exchange) answerPreflight(methods methods) {
	header := x.Header()
	header.Del("Access-Control-Expose-Headers")
	header.Set("Access-Control-Allow-Methods", methods.String())
	header.Set("Access-Control-Allow-Headers", corsRequestHeaders)
	header.Set("Access-Control-Max-Age", corsMaxAge)
	x.WriteHeader(http.StatusNoContent)
}
