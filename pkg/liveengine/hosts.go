package liveengine

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// regions maps region words to the hosts of Tencent's data centres. Whether the live engine runs in Seoul, Frankfurt and
// Mumbai is documented nowhere; the hosts are.
//
// Sources: https://tencentcloud.com/zh/document/product/1047/34620, https://cloud.tencent.com/document/api/269/1519
var regions = map[string]string{
	"china":     "console.tim.qq.com",
	"singapore": "adminapisgp.im.qcloud.com",
	"usa":       "adminapiusa.im.qcloud.com",
	"jakarta":   "adminapiidn.im.qcloud.com",
	"seoul":     "adminapikr.im.qcloud.com",
	"frankfurt": "adminapiger.im.qcloud.com",
	"mumbai":    "adminapiind.im.qcloud.com",
}

// Regions lists the region words.
func Regions() []string {
	words := make([]string, 0, len(regions))
	for word := range regions {
		words = append(words, word)
	}
	slices.Sort(words)
	return words
}

// ParseEndpoint reads a region word or an https:// URL, which may have a path to mount the API under. Plain http:// is for
// loopback hosts only, because the signature travels in the query.
func ParseEndpoint(text string) (*url.URL, error) {
	if host, ok := regions[text]; ok {
		return &url.URL{Scheme: "https", Host: host}, nil
	}
	if !strings.Contains(text, "://") {
		return nil, fmt.Errorf("is neither a region (%s) nor an https:// URL", strings.Join(Regions(), ", "))
	}
	endpoint, err := url.Parse(text)
	switch {
	case err != nil || endpoint.Hostname() == "":
		return nil, fmt.Errorf("is no URL like https://host")
	case endpoint.User != nil || endpoint.RawQuery != "" || endpoint.Fragment != "" || endpoint.ForceQuery:
		return nil, fmt.Errorf("must be a URL without user, query and fragment")
	case endpoint.Scheme == "https", endpoint.Scheme == "http" && Loopback(endpoint.Hostname()):
		endpoint.Path = strings.TrimRight(endpoint.Path, "/")
		endpoint.RawPath = ""
		return endpoint, nil
	default:
		return nil, fmt.Errorf("must begin with https:// (http:// is for loopback hosts only)")
	}
}

// Loopback reports whether host, without its port, is this machine.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
