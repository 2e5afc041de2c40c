package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/problem"
)

// guard refuses the requests that a page on the internet can make the browser of a developer send. In the sandbox, whose keys are public,
// and without authentication, nothing else stops them. trusted are the origins of the developer's own pages.
//
// There are two ways. A page can send a POST to another origin, as long as it does not read the response; the browser names the origin of
// the page then. And a name that its owner points to 127.0.0.1 after the page was loaded (DNS rebinding) makes the server part of the
// page's own origin; the browser names that host then.
func guard(next http.Handler, trusted []string) (http.Handler, error) {
	pages := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := pages.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("GIFTSTATS_CORS_ORIGINS: %w", err)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !unregistrable(r.Host):
			refuse(w, "this server answers only to IP addresses, names without a dot, and names under localhost, internal, local and test; "+
				"send the header Host: localhost")
		case pages.Check(r) != nil:
			refuse(w, "a page of another origin sent this; if it is your own, add its origin to GIFTSTATS_CORS_ORIGINS")
		default:
			next.ServeHTTP(w, r)
		}
	}), nil
}

// unregistrable reports whether a header Host has an address, or a name that nobody can register, and so nobody can point anywhere. The
// domains are reserved: https://www.iana.org/assignments/special-use-domain-names, and internal by ICANN's resolution 2024.07.29.06.
func unregistrable(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	switch last {
	case "localhost", "internal", "local", "test":
		return true
	}
	return !strings.Contains(host, ".")
}

func refuse(w http.ResponseWriter, detail string) {
	details := problem.Of(giftstats.Errorf(giftstats.CodeForbidden, "%s", detail), rand.Text())
	w.Header().Set("Content-Type", problem.ContentType)
	w.WriteHeader(details.Status)
	json.NewEncoder(w).Encode(details) // an error means that the caller has closed the connection
}
