package settings_test

import (
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/settings"
)

func TestEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"china":     "https://console.tim.qq.com",
		"singapore": "https://adminapisgp.im.qcloud.com",
		"usa":       "https://adminapiusa.im.qcloud.com",
		"seoul":     "https://adminapikr.im.qcloud.com",
		"frankfurt": "https://adminapiger.im.qcloud.com",
		"mumbai":    "https://adminapiind.im.qcloud.com",
		"jakarta":   "https://adminapiidn.im.qcloud.com",

		"https://proxy.example:8443/im/": "https://proxy.example:8443/im",
	} {
		s, err := settings.Parse([]string{"GIFTSTATS_SECRET=env://SECRET", "GIFTSTATS_ENDPOINT=" + text}, settings.AWS)
		if err != nil || s.Endpoint.String() != want {
			t.Errorf("%s gives %v, %v; want %s", text, s.Endpoint, err, want)
		}
	}
	for _, text := range []string{"japan", "China", "console.tim.qq.com", "http://example.com", "https://h?x"} {
		if s, err := settings.Parse([]string{"GIFTSTATS_SECRET=env://SECRET", "GIFTSTATS_ENDPOINT=" + text}, settings.AWS); err == nil {
			t.Errorf("%q gives %v", text, s.Endpoint)
		}
	}
	if words := settings.Regions(); !slices.IsSorted(words) || len(words) != 7 {
		t.Errorf("regions are %v", words)
	}
}
