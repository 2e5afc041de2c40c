package settings

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

// regions maps region words to the hosts of Tencent's data centers. The hosts in Seoul, Frankfurt and Mumbai are documented; whether
// the live engine runs there is not.
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

// Regions returns the region words in alphabetical order.
func Regions() []string { return slices.Sorted(maps.Keys(regions)) }

// parseEndpoint reads a region word, or the URL of a proxy. The path of the URL is the prefix under which the proxy serves the API.
func parseEndpoint(text string) (*url.URL, error) {
	if host, ok := regions[text]; ok {
		return &url.URL{Scheme: "https", Host: host}, nil
	}
	if !strings.Contains(text, "://") {
		return nil, fmt.Errorf("must be a region (%s) or an https:// URL", strings.Join(Regions(), ", "))
	}
	return endpoint.Parse(text)
}
