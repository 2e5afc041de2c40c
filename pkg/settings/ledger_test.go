package settings_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/settings"
)

func TestLedger(t *testing.T) {
	noParams := map[string]string{}
	for _, test := range []struct {
		name     string
		platform settings.Platform
		value    string
		want     *settings.Location
	}{
		{name: "nothing is remembered", platform: settings.AWS},
		{name: "local default", platform: settings.Local, want: &settings.Location{Scheme: "memory"}},
		{name: "memory", platform: settings.Local, value: "memory://", want: &settings.Location{Scheme: "memory"}},
		{
			name: "table", platform: settings.AWS, value: "dynamodb://gift-stats_1.eu",
			want: &settings.Location{Scheme: "dynamodb", Name: "gift-stats_1.eu", Params: noParams},
		},
		{
			name: "table at another endpoint", platform: settings.AWS, value: "dynamodb://giftstats?endpoint=http://127.0.0.1:5000",
			want: &settings.Location{Scheme: "dynamodb", Name: "giftstats", Params: map[string]string{"endpoint": "http://127.0.0.1:5000"}},
		},
		{
			name: "TLS to any host", platform: settings.Tencent, value: "rediss://redis.example:6380/0",
			want: &settings.Location{Scheme: "rediss", Name: "redis.example:6380/0", Params: noParams},
		},
		{
			name: "private address", platform: settings.Tencent, value: "redis://10.1.2.3:6379/15",
			want: &settings.Location{Scheme: "redis", Name: "10.1.2.3:6379/15", Params: noParams},
		},
		{
			name: "private address of version 6", platform: settings.Tencent, value: "redis://[fd00::1]:6379/0",
			want: &settings.Location{Scheme: "redis", Name: "[fd00::1]:6379/0", Params: noParams},
		},
		{
			name: "this machine", platform: settings.Tencent, value: "redis://localhost:6379/0",
			want: &settings.Location{Scheme: "redis", Name: "localhost:6379/0", Params: noParams},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := settings.Parse(environ("GIFTSTATS_LEDGER="+test.value), test.platform)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Ledger, test.want) {
				t.Errorf("the ledger is %+v, want %+v", got.Ledger, test.want)
			}
		})
	}
}

func TestLedgerMistakes(t *testing.T) {
	const value = "not-a-real-password"
	for _, test := range []struct {
		name     string
		platform settings.Platform
		value    string
		want     string
	}{
		{name: "missing scheme", platform: settings.AWS, value: value, want: "must have the form dynamodb://TABLE"},
		{name: "Redis on Lambda", platform: settings.AWS, value: "rediss://" + value, want: "must not be rediss:// on AWS Lambda"},
		{
			name: "DynamoDB on SCF", platform: settings.Tencent, value: "dynamodb://" + value,
			want: "must not be dynamodb:// on Tencent SCF",
		},
		{name: "memory in a cloud", platform: settings.Tencent, value: "memory://", want: "must not be memory:// on Tencent SCF"},
		{name: "memory with a name", platform: settings.Local, value: "memory://" + value, want: "must be exactly memory://"},
		{name: "missing table", platform: settings.AWS, value: "dynamodb://", want: "must have a name after dynamodb://"},
		{name: "short table name", platform: settings.AWS, value: "dynamodb://ab", want: "must name a table"},
		{name: "table name with a slash", platform: settings.AWS, value: "dynamodb://region/" + value, want: "must name a table"},
		{name: "unknown parameter", platform: settings.AWS, value: "dynamodb://table?region=" + value, want: "dynamodb:// takes endpoint"},
		{
			name: "password", platform: settings.Tencent, value: "rediss://:" + value + "@redis.example:6379/0",
			want: "must not contain a user or password",
		},
		{
			name: "password of a slash", platform: settings.Tencent, value: "rediss://u:/" + value + "@h:1/0",
			want: "ledger.username and ledger.password",
		},
		{name: "missing port", platform: settings.Tencent, value: "rediss://redis.example/0", want: "must be like rediss://HOST:PORT/DB"},
		{name: "port not a number", platform: settings.Tencent, value: "rediss://redis.example:x/0", want: "must be like rediss://HOST:PORT/DB"},
		{name: "missing host", platform: settings.Tencent, value: "redis://:6379/0", want: "must be like redis://HOST:PORT/DB"},
		{name: "missing database", platform: settings.Tencent, value: "redis://10.0.0.1:6379", want: "must be like redis://HOST:PORT/DB"},
		{
			name: "database not a number", platform: settings.Tencent, value: "redis://10.0.0.1:6379/" + value,
			want: "must be like redis://HOST:PORT/DB",
		},
		{
			name: "parameter of Redis", platform: settings.Tencent, value: "redis://10.0.0.1:6379/0?x=" + value,
			want: "redis:// takes no parameters",
		},
		{name: "open to a host name", platform: settings.Tencent, value: "redis://redis.example:6379/0", want: "must start with rediss://"},
		{name: "open to a public address", platform: settings.Tencent, value: "redis://8.8.8.8:6379/0", want: "must start with rediss://"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := settings.Parse(environ("GIFTSTATS_LEDGER="+test.value), test.platform)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "GIFTSTATS_LEDGER") {
				t.Errorf("the error is\n%v\nand lacks %q", err, test.want)
			}
			if strings.Contains(err.Error(), value) {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

func TestLedgerRetention(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 400 * 24 * time.Hour, "1h": time.Hour, "87600h": 87600 * time.Hour} {
		got, err := settings.Parse(environ("GIFTSTATS_LEDGER_RETENTION="+value), settings.AWS)
		if err != nil || got.LedgerRetention != want {
			t.Errorf("%q gives %v, %v; want %v", value, got.LedgerRetention, err, want)
		}
	}
	for _, value := range []string{"59m", "87601h", "400"} {
		_, err := settings.Parse(environ("GIFTSTATS_LEDGER_RETENTION="+value), settings.AWS)
		const want = "GIFTSTATS_LEDGER_RETENTION must be a duration with a unit, from 1h to 87600h, like 9600h"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v", value, err)
		}
	}
}
