package repository_test

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/settings"
)

func originsPattern(t *testing.T) *regexp.Regexp {
	t.Helper()
	return regexp.MustCompile(load(t, nil).text("Parameters/CorsOrigins/AllowedPattern"))
}

// What the pattern of CorsOrigins allows is what the program accepts. Otherwise the stack would be deployed, and no function would start.
func TestTemplateCorsOrigins(t *testing.T) {
	pattern := originsPattern(t)
	for value, want := range map[string]bool{
		"":                        true,
		"https://app.example.com": true,
		"https://app.example.com:8443,https://b.example":      true,
		"https://app.example.com,http://localhost:5173":       true,
		"https://a_b.example,https://c.example,https://d":     true,
		"http://127.0.0.1:3000":                               true,
		"https://10.0.0.7:8443":                               true,
		"https://xn--hxajbheg2az3al.xn--jxalpdlp":             true,
		"https://7.example":                                   true,
		"https://0x7.example":                                 true,
		"*":                                                   false,
		"null":                                                false,
		"app.example.com":                                     false,
		"http://app.example.com":                              false,
		"http://localhost.example.com":                        false,
		"https://App.example.com":                             false,
		"https://*.example.com":                               false,
		"https://app.example.com/":                            false,
		"https://app.example.com/path":                        false,
		"https://app.example.com?x":                           false,
		"https://user@app.example.com":                        false,
		"https://app.example.com:":                            false,
		"https://app.example.com,":                            false,
		",https://app.example.com":                            false,
		"https://app.example.com,,https://b.example":          false,
		"https://app.example.comhttps://b.example":            false,
		"https://app.example.com:8443:8443,https://b.example": false,
		"https://app.example.com:443,https://b.example":       false,
		"https://app.example.com,https://b.example:99999":     false,
		"https://10.7":                                        false,
		"https://10.0.0.07":                                   false,
		"https://10.0.0.256":                                  false,
		"https://0x7f.0x1":                                    false,
		"https://app.example.com,https://app.example.123":     false,
	} {
		if pattern.MatchString(value) != want {
			t.Errorf("CorsOrigins can be %q: %v, want %v", value, !want, want)
		}
		environ := load(t, map[string]string{"CorsOrigins": value}).environment(apiFunction)
		if _, err := settings.Parse(environ, settings.AWS); want != (err == nil) {
			t.Errorf("the program accepts %q: %v, want %v: %v", value, !want, want, err)
		}
	}
}

// A pattern cannot compare numbers, so every port is tried where the pattern changes, and some in between.
func TestTemplateCorsOriginsPorts(t *testing.T) {
	pattern := originsPattern(t)
	ports := []string{"00", "01", "0443", "080", "08443", "99999", "100000", "655350", "x", "-1", "+8443", " 8443"}
	for port := range 70_000 {
		if port < 1_100 || port%97 == 0 || port > 59_000 && port%7 == 0 || port > 64_900 && port < 65_700 {
			ports = append(ports, strconv.Itoa(port))
		}
	}
	for _, origin := range []string{"https://app.example.com", "http://localhost"} {
		for _, port := range ports {
			value := origin + ":" + port
			if err := endpoint.CheckOrigin(value); pattern.MatchString(value) != (err == nil) {
				t.Errorf("CorsOrigins can be %q: %v, but the program says: %v", value, err != nil, err)
			}
		}
	}
}
