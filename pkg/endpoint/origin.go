package endpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// CheckOrigin returns an error unless text is the origin of a web page, exactly as browsers send it in the header Origin: scheme, host
// and, if it is not the default one, port. Any other form would never match.
//
// Source: https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
func CheckOrigin(text string) error {
	switch text {
	case "*":
		return errors.New("must not be *, which stands for all pages of everyone: list the origins of your own pages")
	case "null":
		return errors.New("must not be null, which stands for local files and sandboxed frames of everyone: list the origins of your own pages")
	}
	origin, err := url.Parse(text)
	if err != nil || origin.Hostname() == "" {
		return errors.New("must be an origin like https://app.example.com")
	}
	if err := CheckScheme(origin); err != nil {
		return err
	}
	if strings.ToLower(text) != origin.Scheme+"://"+strings.ToLower(origin.Host) {
		return errors.New("must have no user, path, trailing slash, query or fragment: only scheme, host and port")
	}
	if text != origin.Scheme+"://"+origin.Host || !canonicalHost(origin.Hostname()) {
		return errors.New("must have a host as browsers send it: in lower case, without wildcards, other scripts in Punycode (xn--…), " +
			"addresses in their usual form")
	}
	return checkPort(origin)
}

// number matches the last part of a name that browsers take for an IPv4 address: https://url.spec.whatwg.org/#ends-in-a-number-checker
//
// It is compiled when it is first needed, because most functions start without origins.
var number = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(^|\.)(\d+|0x[\da-f]*)\.?$`) })

// canonicalHost reports whether host is a name in lower-case ASCII, or an IP address in its canonical form.
func canonicalHost(host string) bool {
	if strings.Contains(host, ":") || number().MatchString(host) {
		address, err := netip.ParseAddr(host)
		return err == nil && address.Zone() == "" && canonical(address) == host
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}

// canonical returns an address as browsers write it. They do not write the end of an IPv6 address as an IPv4 address.
func canonical(address netip.Addr) string {
	if bytes := address.As16(); address.Is4In6() {
		return fmt.Sprintf("::ffff:%x:%x", binary.BigEndian.Uint16(bytes[12:]), binary.BigEndian.Uint16(bytes[14:]))
	}
	return address.String()
}

// checkPort returns an error unless the port is absent, or a number other than the scheme's default, which browsers leave out.
func checkPort(origin *url.URL) error {
	port := origin.Port()
	if port == "" && !strings.HasSuffix(origin.Host, ":") {
		return nil
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 || port[0] == '0' {
		return errors.New("must have a port from 1 to 65535, or none")
	}
	if origin.Scheme == "https" && number == 443 || origin.Scheme == "http" && number == 80 {
		return errors.New("must not name the default port, which browsers leave out of an origin")
	}
	return nil
}
