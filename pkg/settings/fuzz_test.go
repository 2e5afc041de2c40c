package settings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/settings"
)

// For every value of a variable, the settings are within their limits or there is an error, and the error does not repeat the value: it may
// be a secret in the wrong place.
func FuzzParse(f *testing.F) {
	names := []string{
		"SECRET", "ENDPOINT", "AUTH", "BASE_PATH", "RATE_LIMIT", "TIMEOUT", "ATTEMPTS", "SECRET_TTL", "QUEUE", "DELIVER", "LEDGER",
		"LEDGER_RETENTION", "CSS_ENDS_STREAM", "SDK_APP_ID", "ADMIN", "LOG_LEVEL", "RATE_SHARED",
	}
	platforms := []settings.Platform{settings.AWS, settings.Tencent, settings.Local}
	for name, value := range []string{
		"awssecretsmanager://app?endpoint=http%3A%2F%2F127.0.0.1", "https://proxy.example/im/", "api-key,usersig", "/prod/", "12.5", "1500ms",
		"1", "1m", "sqs://sqs.eu-west-1.amazonaws.com/123456789012/ends", "log://,https://hooks.example/x?a=b", "redis://10.0.0.1:6379/0",
		"24h", "true", "1400000000", "administrator", "debug", "80",
	} {
		f.Add(byte(name), byte(0), value)
		f.Add(byte(name), byte(1), value)
	}
	f.Fuzz(func(t *testing.T, name, platform byte, value string) {
		const marker = "q7Zw9xK2"
		variable := "GIFTSTATS_" + names[int(name)%len(names)] + "="
		on := platforms[int(platform)%len(platforms)]
		if _, err := settings.Parse(environ(variable+value+marker), on); err != nil && strings.Contains(err.Error(), marker) {
			t.Errorf("%q: the error repeats the value: %v", variable+value+marker, err)
		}
		got, err := settings.Parse(environ(variable+value), on)
		if err != nil {
			return
		}
		if !(got.RateLimit > 0) {
			t.Errorf("%q: the rate is %v", variable+value, got.RateLimit)
		}
		if !(got.RateShared >= 0) {
			t.Errorf("%q: the shared rate is %v", variable+value, got.RateShared)
		}
		if got.Timeout < time.Millisecond || got.Timeout > time.Minute {
			t.Errorf("%q: the time limit is %v", variable+value, got.Timeout)
		}
		if got.Attempts < 1 || got.Attempts > 10 {
			t.Errorf("%q: %d attempts", variable+value, got.Attempts)
		}
		if open := got.Auth.Open; open == (got.Auth.APIKey || got.Auth.UserSig) {
			t.Errorf("%q: open is %v, but the credentials are %+v", variable+value, open, got.Auth)
		}
		if got.LedgerRetention < time.Hour {
			t.Errorf("%q: the retention is %v", variable+value, got.LedgerRetention)
		}
		if len(got.Deliver) == 0 {
			t.Errorf("%q: no receiver, and no error", variable+value)
		}
	})
}
