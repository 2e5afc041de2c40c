package settings_test

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/settings"
)

// environ is the smallest that is right for a cloud, and more.
func environ(more ...string) []string {
	return append([]string{"PATH=/bin", "GIFTSTATS_SECRET=env://APP_SECRET", "GIFTSTATS_ENDPOINT=singapore"}, more...)
}

func TestDefaults(t *testing.T) {
	got, err := settings.Parse(environ(), settings.AWS)
	if err != nil {
		t.Fatal(err)
	}
	if got.Endpoint.String() != "https://adminapisgp.im.qcloud.com" {
		t.Errorf("endpoint is %v", got.Endpoint)
	}
	got.Endpoint = nil
	want := settings.Settings{
		Secret: &settings.Location{Scheme: "env", Name: "APP_SECRET", Params: map[string]string{}},
		Auth:   settings.Auth{APIKey: true}, RateLimit: 200, Timeout: 3 * time.Second, Attempts: 3, SecretTTL: 5 * time.Minute,
		Deliver: []settings.Location{{Scheme: "log"}}, LogLevel: slog.LevelInfo,
		LedgerRetention: 9600 * time.Hour,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("defaults:\n got %+v\nwant %+v", got, want)
	}
	local, err := settings.Parse(nil, settings.Local)
	if err != nil {
		t.Fatal(err)
	}
	if local.Secret != nil || local.Endpoint != nil {
		t.Errorf("the local server does not use the simulator: %+v, %v", local.Secret, local.Endpoint)
	}
	if !local.Auth.UserSig {
		t.Error("the local server does not accept UserSigs")
	}
	if !local.Console {
		t.Error("the local server does not serve the page")
	}
}

func TestEverythingSet(t *testing.T) {
	got, err := settings.Parse([]string{
		"GIFTSTATS_SECRET=awssecretsmanager://arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf" +
			"?version_stage=AWSPENDING&endpoint=http%3A%2F%2F127.0.0.1%3A1",
		"GIFTSTATS_ENDPOINT=https://proxy.example/im/", "GIFTSTATS_AUTH=api-key, usersig", "GIFTSTATS_BASE_PATH=/prod/",
		"GIFTSTATS_CORS_ORIGINS=https://app.example.com, http://localhost:5173",
		"GIFTSTATS_RATE_LIMIT=12.5", "GIFTSTATS_TIMEOUT=1500ms", "GIFTSTATS_ATTEMPTS=1", "GIFTSTATS_SECRET_TTL=1m",
		"GIFTSTATS_QUEUE=sqs://sqs.eu-west-1.amazonaws.com/123456789012/ends",
		"GIFTSTATS_DELIVER=log://,https://hooks.example/x?a=b, sqs://127.0.0.1:9/1/results," +
			"eventbridge://arn:aws:events:eu-west-1:123456789012:event-bus/results",
		"GIFTSTATS_CONSOLE=true", "GIFTSTATS_CSS_ENDS_STREAM=true",
		"GIFTSTATS_SDK_APP_ID=1400000000", "GIFTSTATS_ADMIN=administrator", "GIFTSTATS_LOG_LEVEL=debug",
		"GIFTSTATS_LEDGER=dynamodb://giftstats", "GIFTSTATS_LEDGER_RETENTION=24h", "GIFTSTATS_RATE_SHARED=80.5",
		"GIFTSTATS_DEAD_LETTERS=sqs://sqs.eu-west-1.amazonaws.com/123456789012/dead",
	}, settings.AWS)
	if err != nil {
		t.Fatal(err)
	}
	if got.Endpoint.String() != "https://proxy.example/im" {
		t.Errorf("endpoint is %v", got.Endpoint)
	}
	got.Endpoint = nil
	want := settings.Settings{
		Secret: &settings.Location{Scheme: "awssecretsmanager", Name: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf",
			Params: map[string]string{"version_stage": "AWSPENDING", "endpoint": "http://127.0.0.1:1"}},
		Auth: settings.Auth{APIKey: true, UserSig: true}, BasePath: "/prod", RateLimit: 12.5, RateShared: 80.5,
		CORSOrigins: []string{"https://app.example.com", "http://localhost:5173"},
		Timeout:     1500 * time.Millisecond, Attempts: 1, SecretTTL: time.Minute,
		Queue: &settings.Location{Scheme: "sqs", Name: "sqs.eu-west-1.amazonaws.com/123456789012/ends", Params: map[string]string{}},
		Deliver: []settings.Location{{Scheme: "log"}, {Scheme: "https", Name: "hooks.example/x?a=b"},
			{Scheme: "sqs", Name: "127.0.0.1:9/1/results", Params: map[string]string{}},
			{Scheme: "eventbridge", Name: "arn:aws:events:eu-west-1:123456789012:event-bus/results", Params: map[string]string{}}},
		DeadLetters: &settings.Location{
			Scheme: "sqs", Name: "sqs.eu-west-1.amazonaws.com/123456789012/dead", Params: map[string]string{},
		},
		Console: true, CSSEndsStream: true, SDKAppID: 1400000000, Admin: "administrator", LogLevel: slog.LevelDebug,
		Ledger: &settings.Location{Scheme: "dynamodb", Name: "giftstats", Params: map[string]string{}}, LedgerRetention: 24 * time.Hour,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func TestConsoleCanBeSwitchedOffLocally(t *testing.T) {
	got, err := settings.Parse([]string{"GIFTSTATS_CONSOLE=false"}, settings.Local)
	if err != nil {
		t.Fatal(err)
	}
	if got.Console {
		t.Error("GIFTSTATS_CONSOLE=false does not switch the page off")
	}
}

func TestMistakes(t *testing.T) {
	const value = "not-a-real-key-in-the-wrong-place"
	for _, test := range []struct {
		name     string
		platform settings.Platform
		variable string
		want     string
	}{
		{
			name: "auth", platform: settings.AWS, variable: "GIFTSTATS_AUTH=" + value,
			want: "GIFTSTATS_AUTH must be a comma-separated list of api-key and usersig",
		},
		{
			name: "auth none with another method", platform: settings.AWS, variable: "GIFTSTATS_AUTH=api-key,none",
			want: "must not combine none with other methods",
		},
		{
			name: "endpoint word", platform: settings.AWS, variable: "GIFTSTATS_ENDPOINT=" + value,
			want: "GIFTSTATS_ENDPOINT must be a region (china, frankfurt",
		},
		{name: "endpoint http", platform: settings.AWS, variable: "GIFTSTATS_ENDPOINT=http://" + value, want: "must start with https://"},
		{
			name: "endpoint with a query", platform: settings.AWS, variable: "GIFTSTATS_ENDPOINT=https://host?x=" + value,
			want: "without user, query and fragment",
		},
		{
			name: "endpoint not a URL", platform: settings.AWS, variable: "GIFTSTATS_ENDPOINT=https://%zz" + value,
			want: "must be a URL like https://host",
		},
		{name: "base path", platform: settings.AWS, variable: "GIFTSTATS_BASE_PATH=prod", want: "GIFTSTATS_BASE_PATH must be a plain path"},
		{name: "base path not clean", platform: settings.AWS, variable: "GIFTSTATS_BASE_PATH=/a//b", want: "must be a plain path"},
		{
			name: "origin with a path", platform: settings.AWS, variable: "GIFTSTATS_CORS_ORIGINS=https://app.example,https://h.example/" + value,
			want: "GIFTSTATS_CORS_ORIGINS must have no user, path, trailing slash, query or fragment: only scheme, host and port (entry 2 of the",
		},
		{
			name: "all origins", platform: settings.AWS, variable: "GIFTSTATS_CORS_ORIGINS=*",
			want: "GIFTSTATS_CORS_ORIGINS must not be *, which stands for all pages of everyone: list the origins of your own pages",
		},
		{
			name: "no origin after the comma", platform: settings.AWS, variable: "GIFTSTATS_CORS_ORIGINS=https://app.example,",
			want: "GIFTSTATS_CORS_ORIGINS must be an origin like https://app.example.com (entry 2 of the list)",
		},
		{
			name: "rate", platform: settings.AWS, variable: "GIFTSTATS_RATE_LIMIT=0",
			want: "GIFTSTATS_RATE_LIMIT must be a number of calls per second",
		},
		{name: "rate NaN", platform: settings.AWS, variable: "GIFTSTATS_RATE_LIMIT=NaN", want: "GIFTSTATS_RATE_LIMIT must be"},
		{
			name: "shared rate below zero", platform: settings.AWS, variable: "GIFTSTATS_RATE_SHARED=-1",
			want: "GIFTSTATS_RATE_SHARED must be 0, or a number of calls per second from 1 to 100000, like 80",
		},
		{name: "shared rate that no ledger keeps", platform: settings.AWS, variable: "GIFTSTATS_RATE_SHARED=0.01",
			want: "GIFTSTATS_RATE_SHARED must be 0, or a number of calls per second from 1 to"},
		{name: "shared rate NaN", platform: settings.AWS, variable: "GIFTSTATS_RATE_SHARED=NaN", want: "GIFTSTATS_RATE_SHARED must be 0"},
		{name: "shared rate not a number", platform: settings.AWS, variable: "GIFTSTATS_RATE_SHARED=x", want: "GIFTSTATS_RATE_SHARED must be 0"},
		{
			name: "timeout without a unit", platform: settings.AWS, variable: "GIFTSTATS_TIMEOUT=3",
			want: "GIFTSTATS_TIMEOUT must be a duration with a unit, from 1ms to 1m, like 3s",
		},
		{
			name: "attempts", platform: settings.AWS, variable: "GIFTSTATS_ATTEMPTS=0",
			want: "GIFTSTATS_ATTEMPTS must be a whole number from 1 to 10",
		},
		{
			name: "ttl", platform: settings.AWS, variable: "GIFTSTATS_SECRET_TTL=forever",
			want: "GIFTSTATS_SECRET_TTL must be a duration with a unit, from 1ms to 24h, like 5m",
		},
		{
			name: "flag", platform: settings.AWS, variable: "GIFTSTATS_CSS_ENDS_STREAM=yes",
			want: "GIFTSTATS_CSS_ENDS_STREAM must be true or false",
		},
		{
			name: "app", platform: settings.AWS, variable: "GIFTSTATS_SDK_APP_ID=" + value,
			want: "GIFTSTATS_SDK_APP_ID must be the app's number, like 1400000000",
		},
		{
			name: "admin", platform: settings.AWS, variable: "GIFTSTATS_ADMIN=" + value,
			want: "GIFTSTATS_ADMIN must be an account of at most 32 bytes",
		},
		{
			name: "level", platform: settings.AWS, variable: "GIFTSTATS_LOG_LEVEL=trace",
			want: "GIFTSTATS_LOG_LEVEL must be debug, info, warn or error",
		},
		{
			name: "unknown", platform: settings.AWS, variable: "GIFTSTATS_RATELIMIT=" + value,
			want: "GIFTSTATS_RATELIMIT: unknown setting (misspelled?)",
		},
		{
			name: "the secret itself", platform: settings.AWS, variable: "GIFTSTATS_SECRET=" + value,
			want: "GIFTSTATS_SECRET must have the form awssecretsmanager://NAME-OR-ARN, env://VARIABLE or file:///path",
		},
		{name: "secret without a name", platform: settings.AWS, variable: "GIFTSTATS_SECRET=env://", want: "must have a name after env://"},
		{
			name: "secret of another cloud", platform: settings.AWS, variable: "GIFTSTATS_SECRET=tencentssm://" + value,
			want: "must not be tencentssm:// on AWS Lambda",
		},
		{
			name: "secret with an unknown parameter", platform: settings.AWS, variable: "GIFTSTATS_SECRET=awssecretsmanager://x?stage=" + value,
			want: "awssecretsmanager:// takes version_stage, endpoint",
		},
		{
			name: "secret with a parameter twice", platform: settings.AWS,
			variable: "GIFTSTATS_SECRET=awssecretsmanager://x?endpoint=https://a&endpoint=https://b",
			want:     "must have one value for the parameter endpoint",
		},
		{
			name: "secret with an open endpoint", platform: settings.AWS,
			variable: "GIFTSTATS_SECRET=awssecretsmanager://x?endpoint=http://" + value,
			want:     "has a parameter endpoint that must start with https://",
		},
		{
			name: "secret with a region as endpoint", platform: settings.AWS, variable: "GIFTSTATS_SECRET=awssecretsmanager://x?endpoint=china",
			want: "has a parameter endpoint that must be",
		},
		{
			name: "secret badly escaped", platform: settings.AWS, variable: "GIFTSTATS_SECRET=awssecretsmanager://x?%zz",
			want: "must have valid percent-encoding after the ?",
		},
		{name: "relative file", platform: settings.AWS, variable: "GIFTSTATS_SECRET=file://" + value, want: "must have an absolute path"},
		{
			name: "queue of another cloud", platform: settings.Tencent, variable: "GIFTSTATS_QUEUE=sqs://a/b/c",
			want: "must not be sqs:// on Tencent SCF: use scf://FUNCTION",
		},
		{
			name: "queue of the other cloud", platform: settings.AWS, variable: "GIFTSTATS_QUEUE=scf://f",
			want: "must not be scf:// on AWS Lambda",
		},
		{
			name: "queue where no queue is supported", platform: settings.Local, variable: "GIFTSTATS_QUEUE=sqs://a/b/c",
			want: "must be empty on this platform",
		},
		{
			name: "queue not whole", platform: settings.AWS, variable: "GIFTSTATS_QUEUE=sqs://" + value,
			want: "must be like sqs://",
		},
		{
			name: "dead letters on the other cloud", platform: settings.Tencent, variable: "GIFTSTATS_DEAD_LETTERS=sqs://a/b/" + value,
			want: "GIFTSTATS_DEAD_LETTERS must be empty on Tencent SCF: only the stream-end function on AWS Lambda sends dead letters",
		},
		{
			name: "dead letters locally", platform: settings.Local, variable: "GIFTSTATS_DEAD_LETTERS=sqs://a/b/" + value,
			want: "GIFTSTATS_DEAD_LETTERS must be empty on the local server",
		},
		{
			name: "dead letters elsewhere", platform: settings.AWS, variable: "GIFTSTATS_DEAD_LETTERS=https://" + value,
			want: "GIFTSTATS_DEAD_LETTERS must have the form sqs://HOST/ACCOUNT/NAME",
		},
		{
			name: "dead letters on a queue not whole", platform: settings.AWS, variable: "GIFTSTATS_DEAD_LETTERS=sqs://" + value,
			want: "must be like sqs://",
		},
		{
			name: "deliver nowhere", platform: settings.AWS, variable: "GIFTSTATS_DELIVER=" + value,
			want: "GIFTSTATS_DELIVER must have the form log://",
		},
		{
			name: "deliver with plain http", platform: settings.AWS, variable: "GIFTSTATS_DELIVER=http://" + value,
			want: "must start with https://",
		},
		{
			name: "deliver with a user", platform: settings.AWS, variable: "GIFTSTATS_DELIVER=https://u:" + value + "@host/",
			want: "without user and fragment",
		},
		{name: "deliver to a queue not whole", platform: settings.AWS, variable: "GIFTSTATS_DELIVER=sqs://a", want: "must be like sqs://"},
		{
			name: "deliver by another cloud", platform: settings.Tencent, variable: "GIFTSTATS_DELIVER=eventbridge://bus",
			want: "must not be eventbridge:// on Tencent SCF",
		},
		{
			name: "one of two missing", platform: settings.Local, variable: "GIFTSTATS_ENDPOINT=",
			want: "GIFTSTATS_SECRET and GIFTSTATS_ENDPOINT must be set together",
		},
		{
			name: "secret missing", platform: settings.AWS, variable: "GIFTSTATS_SECRET=",
			want: "GIFTSTATS_SECRET is required: set it to the location of the secret",
		},
		{
			name: "endpoint missing", platform: settings.AWS, variable: "GIFTSTATS_ENDPOINT=",
			want: "GIFTSTATS_ENDPOINT is required: set the app's region",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := settings.Parse(environ(test.variable), test.platform)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("the error is\n%v\nand lacks %q", err, test.want)
			}
			if strings.Count(err.Error(), "\n") != 1 {
				t.Errorf("more than one error: %v", err)
			}
			if strings.Contains(err.Error(), value) {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	environ := []string{"GIFTSTATS_TIMEOUT=x", "GIFTSTATS_TYPO=1", "GIFTSTATS_ANOTHER=1", "GIFTSTATS_DELIVER=a,b"}
	_, err := settings.Parse(environ, settings.Tencent)
	for _, name := range []string{
		"GIFTSTATS_SECRET", "GIFTSTATS_ENDPOINT", "GIFTSTATS_TIMEOUT", "GIFTSTATS_DELIVER", "GIFTSTATS_ANOTHER: ", "GIFTSTATS_TYPO: ",
	} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in\n%v", name, err)
		}
	}
	if strings.Index(err.Error(), "GIFTSTATS_ANOTHER") > strings.Index(err.Error(), "GIFTSTATS_TYPO") {
		t.Error("the order of errors changes from run to run")
	}
}

func TestOtherSecretsAndQueues(t *testing.T) {
	got, err := settings.Parse([]string{
		"GIFTSTATS_SECRET=tencentssm://app/key?version=v1&region=ap-singapore", "GIFTSTATS_ENDPOINT=http://[::1]:8080",
		"GIFTSTATS_QUEUE=scf://ends?region=ap-singapore&namespace=default&qualifier=$LATEST&endpoint=https://scf.example", "GIFTSTATS_AUTH=none",
		"GIFTSTATS_DELIVER=http://localhost:1/x,log://", "GIFTSTATS_LOG_LEVEL=warn",
	}, settings.Tencent)
	if err != nil {
		t.Fatal(err)
	}
	if got.Endpoint.Host != "[::1]:8080" {
		t.Errorf("the endpoint has the host %q", got.Endpoint.Host)
	}
	got.Endpoint = nil
	want := settings.Settings{
		Secret: &settings.Location{
			Scheme: "tencentssm", Name: "app/key", Params: map[string]string{"version": "v1", "region": "ap-singapore"},
		},
		Queue: &settings.Location{Scheme: "scf", Name: "ends", Params: map[string]string{
			"region": "ap-singapore", "namespace": "default", "qualifier": "$LATEST", "endpoint": "https://scf.example",
		}},
		Auth:      settings.Auth{Open: true},
		Deliver:   []settings.Location{{Scheme: "http", Name: "localhost:1/x"}, {Scheme: "log"}},
		RateLimit: 200, Timeout: 3 * time.Second, Attempts: 3, SecretTTL: 5 * time.Minute, LogLevel: slog.LevelWarn,
		LedgerRetention: 9600 * time.Hour,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func ExampleParse() {
	_, err := settings.Parse([]string{"GIFTSTATS_SECRET=env://APP_SECRET", "GIFTSTATS_ENDPOINT=mars", "GIFTSTATS_ATTEMPT=3"}, settings.AWS)
	fmt.Println(err)
	// Output:
	// invalid settings:
	// GIFTSTATS_ENDPOINT must be a region (china, frankfurt, jakarta, mumbai, seoul, singapore, usa) or an https:// URL
	// GIFTSTATS_ATTEMPT: unknown setting (misspelled?)
}
