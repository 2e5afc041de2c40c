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
	if err != nil || local.Secret != nil || local.Endpoint != nil || !local.Auth.UserSig {
		t.Errorf("local defaults: %+v, %v", local, err)
	}
}

func TestEverythingSet(t *testing.T) {
	got, err := settings.Parse([]string{
		"GIFTSTATS_SECRET=awssecretsmanager://arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf?version_stage=AWSPENDING&endpoint=http%3A%2F%2F127.0.0.1%3A1",
		"GIFTSTATS_ENDPOINT=https://proxy.example/im/", "GIFTSTATS_AUTH=api-key, usersig", "GIFTSTATS_BASE_PATH=/prod/",
		"GIFTSTATS_RATE_LIMIT=12.5", "GIFTSTATS_TIMEOUT=1500ms", "GIFTSTATS_ATTEMPTS=1", "GIFTSTATS_SECRET_TTL=1m",
		"GIFTSTATS_QUEUE=sqs://sqs.eu-west-1.amazonaws.com/123456789012/ends",
		"GIFTSTATS_DELIVER=log://,https://hooks.example/x?a=b, sqs://127.0.0.1:9/1/results,eventbridge://arn:aws:events:eu-west-1:123456789012:event-bus/results",
		"GIFTSTATS_CSS_ENDS_STREAM=true", "GIFTSTATS_SDK_APP_ID=1400000000", "GIFTSTATS_ADMIN=administrator", "GIFTSTATS_LOG_LEVEL=debug",
		"GIFTSTATS_LEDGER=dynamodb://giftstats", "GIFTSTATS_LEDGER_RETENTION=24h",
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
		Auth: settings.Auth{APIKey: true, UserSig: true}, BasePath: "/prod", RateLimit: 12.5, Timeout: 1500 * time.Millisecond, Attempts: 1, SecretTTL: time.Minute,
		Queue: &settings.Location{Scheme: "sqs", Name: "sqs.eu-west-1.amazonaws.com/123456789012/ends", Params: map[string]string{}},
		Deliver: []settings.Location{{Scheme: "log"}, {Scheme: "https", Name: "hooks.example/x?a=b"},
			{Scheme: "sqs", Name: "127.0.0.1:9/1/results", Params: map[string]string{}},
			{Scheme: "eventbridge", Name: "arn:aws:events:eu-west-1:123456789012:event-bus/results", Params: map[string]string{}}},
		CSSEndsStream: true, SDKAppID: 1400000000, Admin: "administrator", LogLevel: slog.LevelDebug,
		Ledger: &settings.Location{Scheme: "dynamodb", Name: "giftstats", Params: map[string]string{}}, LedgerRetention: 24 * time.Hour,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
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
		{"auth", settings.AWS, "GIFTSTATS_AUTH=" + value, "GIFTSTATS_AUTH must be a comma list of api-key and usersig"},
		{"auth with none beside", settings.AWS, "GIFTSTATS_AUTH=api-key,none", "none stands alone"},
		{"endpoint word", settings.AWS, "GIFTSTATS_ENDPOINT=" + value, "GIFTSTATS_ENDPOINT must be a region (china, frankfurt"},
		{"endpoint http", settings.AWS, "GIFTSTATS_ENDPOINT=http://" + value, "must begin with https://"},
		{"endpoint with a query", settings.AWS, "GIFTSTATS_ENDPOINT=https://host?x=" + value, "without user, query and fragment"},
		{"endpoint no URL", settings.AWS, "GIFTSTATS_ENDPOINT=https://%zz" + value, "must be a URL like https://host"},
		{"base path", settings.AWS, "GIFTSTATS_BASE_PATH=prod", "GIFTSTATS_BASE_PATH must be a plain path"},
		{"base path not clean", settings.AWS, "GIFTSTATS_BASE_PATH=/a//b", "must be a plain path"},
		{"rate", settings.AWS, "GIFTSTATS_RATE_LIMIT=0", "GIFTSTATS_RATE_LIMIT must be a number of calls per second"},
		{"rate NaN", settings.AWS, "GIFTSTATS_RATE_LIMIT=NaN", "GIFTSTATS_RATE_LIMIT must be"},
		{"timeout without a unit", settings.AWS, "GIFTSTATS_TIMEOUT=3", "GIFTSTATS_TIMEOUT must be a duration with its unit from 1ms to 1m0s, like 3s"},
		{"attempts", settings.AWS, "GIFTSTATS_ATTEMPTS=0", "GIFTSTATS_ATTEMPTS must be a whole number from 1 to 10"},
		{"ttl", settings.AWS, "GIFTSTATS_SECRET_TTL=forever", "GIFTSTATS_SECRET_TTL must be a duration"},
		{"flag", settings.AWS, "GIFTSTATS_CSS_ENDS_STREAM=yes", "GIFTSTATS_CSS_ENDS_STREAM must be true or false"},
		{"app", settings.AWS, "GIFTSTATS_SDK_APP_ID=" + value, "GIFTSTATS_SDK_APP_ID must be the app's number"},
		{"admin", settings.AWS, "GIFTSTATS_ADMIN=" + value, "GIFTSTATS_ADMIN must be an account of at most 32 bytes"},
		{"level", settings.AWS, "GIFTSTATS_LOG_LEVEL=trace", "GIFTSTATS_LOG_LEVEL must be debug, info, warn or error"},
		{"unknown", settings.AWS, "GIFTSTATS_RATELIMIT=" + value, "GIFTSTATS_RATELIMIT is no setting of giftstats"},
		{"the secret itself", settings.AWS, "GIFTSTATS_SECRET=" + value, "GIFTSTATS_SECRET must begin with one of awssecretsmanager://NAME-OR-ARN, env://VARIABLE, file:///path"},
		{"secret without a name", settings.AWS, "GIFTSTATS_SECRET=env://", "has nothing after env://"},
		{"secret of another cloud", settings.AWS, "GIFTSTATS_SECRET=tencentssm://" + value, "names tencentssm://, which AWS Lambda does not carry a client for"},
		{"secret with an unknown parameter", settings.AWS, "GIFTSTATS_SECRET=awssecretsmanager://x?stage=" + value, "(known: version_stage, endpoint)"},
		{"secret with a parameter twice", settings.AWS, "GIFTSTATS_SECRET=awssecretsmanager://x?endpoint=https://a&endpoint=https://b", "the parameter endpoint empty or more than once"},
		{"secret with an open endpoint", settings.AWS, "GIFTSTATS_SECRET=awssecretsmanager://x?endpoint=http://" + value, "has a parameter endpoint that must be"},
		{"secret with a region as endpoint", settings.AWS, "GIFTSTATS_SECRET=awssecretsmanager://x?endpoint=china", "has a parameter endpoint that must be"},
		{"secret badly escaped", settings.AWS, "GIFTSTATS_SECRET=awssecretsmanager://x?%zz", "not escaped like in a URL"},
		{"relative file", settings.AWS, "GIFTSTATS_SECRET=file://" + value, "must have an absolute path"},
		{"queue of another cloud", settings.Tencent, "GIFTSTATS_QUEUE=sqs://a/b/c", "names sqs://, which Tencent SCF does not carry a client for: use one of scf://FUNCTION"},
		{"queue of the other cloud", settings.AWS, "GIFTSTATS_QUEUE=scf://f", "names scf://, which AWS Lambda does not carry a client for"},
		{"queue where there is none", settings.Local, "GIFTSTATS_QUEUE=sqs://a/b/c", "use one of none (it has to be empty here)"},
		{"queue not whole", settings.AWS, "GIFTSTATS_QUEUE=sqs://" + value, "has an sqs:// address that is not like"},
		{"deliver nowhere", settings.AWS, "GIFTSTATS_DELIVER=" + value, "GIFTSTATS_DELIVER must begin with one of log://"},
		{"deliver in the open", settings.AWS, "GIFTSTATS_DELIVER=http://" + value, "must begin with https://"},
		{"deliver with a user", settings.AWS, "GIFTSTATS_DELIVER=https://u:" + value + "@host/", "(without user and fragment)"},
		{"deliver to a queue not whole", settings.AWS, "GIFTSTATS_DELIVER=sqs://a", "has an sqs:// address"},
		{"deliver by another cloud", settings.Tencent, "GIFTSTATS_DELIVER=eventbridge://bus", "names eventbridge://"},
		{"deliver by the other function", settings.AWSAPI, "GIFTSTATS_DELIVER=eventbridge://" + value, "GIFTSTATS_DELIVER names eventbridge://, which only the stream-end function carries a client for: set GIFTSTATS_QUEUE"},
		{"one of two missing", settings.Local, "GIFTSTATS_ENDPOINT=", "GIFTSTATS_SECRET and GIFTSTATS_ENDPOINT go together"},
		{"secret missing", settings.AWS, "GIFTSTATS_SECRET=", "GIFTSTATS_SECRET is missing: set it to where the secret is kept"},
		{"endpoint missing", settings.AWS, "GIFTSTATS_ENDPOINT=", "GIFTSTATS_ENDPOINT is missing: set the app's region"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := settings.Parse(environ(test.variable), test.platform)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("the error is\n%v\nand lacks %q", err, test.want)
			}
			if strings.Count(err.Error(), "\n") != 1 {
				t.Errorf("more than one mistake: %v", err)
			}
			if strings.Contains(err.Error(), value) {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := settings.Parse([]string{"GIFTSTATS_TIMEOUT=x", "GIFTSTATS_TYPO=1", "GIFTSTATS_ANOTHER=1", "GIFTSTATS_DELIVER=a,b"}, settings.Tencent)
	for _, name := range []string{"GIFTSTATS_SECRET", "GIFTSTATS_ENDPOINT", "GIFTSTATS_TIMEOUT", "GIFTSTATS_DELIVER", "GIFTSTATS_ANOTHER is", "GIFTSTATS_TYPO is"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in\n%v", name, err)
		}
	}
	if strings.Index(err.Error(), "GIFTSTATS_ANOTHER") > strings.Index(err.Error(), "GIFTSTATS_TYPO") {
		t.Error("the order of mistakes changes from run to run")
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
	if got.Secret.Name != "app/key" || got.Secret.Params["version"] != "v1" || got.Queue.Params["qualifier"] != "$LATEST" || got.Auth != (settings.Auth{}) ||
		got.Endpoint.Host != "[::1]:8080" || got.Deliver[0].Scheme != "http" || got.Deliver[0].Name != "localhost:1/x" || got.LogLevel != slog.LevelWarn {
		t.Errorf("%+v", got)
	}
}

// A function with a queue delivers nothing, so it may share its variables with the one behind the queue.
func TestReceiversBehindTheQueue(t *testing.T) {
	got, err := settings.Parse(environ("GIFTSTATS_QUEUE=sqs://127.0.0.1:9/1/ends", "GIFTSTATS_DELIVER=eventbridge://results,log://"), settings.AWSAPI)
	if err != nil {
		t.Fatal(err)
	}
	if want := []settings.Location{{Scheme: "log"}}; !reflect.DeepEqual(got.Deliver, want) {
		t.Errorf("the receivers are %+v, want %+v", got.Deliver, want)
	}
}

func ExampleParse() {
	_, err := settings.Parse([]string{"GIFTSTATS_SECRET=env://APP_SECRET", "GIFTSTATS_ENDPOINT=mars", "GIFTSTATS_ATTEMPT=3"}, settings.AWS)
	fmt.Println(err)
	// Output:
	// the settings are wrong:
	// GIFTSTATS_ENDPOINT must be a region (china, frankfurt, jakarta, mumbai, seoul, singapore, usa) or an https:// URL
	// GIFTSTATS_ATTEMPT is no setting of giftstats; is it misspelt?
}
