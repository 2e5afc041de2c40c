package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/secret"
)

const (
	fakeKey  = "not-a-real-key-0123456789"
	fakeHash = "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"
)

var keyDefaults = secret.KeyDefaults{SDKAppID: 1400000000, Admin: "administrator"}

func TestParseDocument(t *testing.T) {
	full := `{"sdk_app_id":1400000000,"admin":"administrator","secret_key":"` + fakeKey + `",
		"api_keys":{"backoffice":"` + fakeHash + `"},"webhook":{"live_token":"lt","trtc_key":"tk","css_key":null},
		"delivery_key":"whsec_bm90LWEta2V5",
		"ledger":{"username":"giftstats","password":"lp"}}`
	document, err := secret.ParseDocument([]byte(full), secret.KeyDefaults{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ field, got, want string }{
		{field: "sdk_app_id", got: strconv.FormatInt(document.SDKAppID, 10), want: "1400000000"},
		{field: "admin", got: document.Admin, want: "administrator"},
		{field: "secret_key", got: document.SecretKey.Reveal(), want: fakeKey},
		{field: "api_keys", got: fmt.Sprintf("%x", document.APIKeys["backoffice"]), want: fakeHash},
		{field: "webhook.live_token", got: document.Webhook.LiveToken.Reveal(), want: "lt"},
		{field: "webhook.trtc_key", got: document.Webhook.TRTCKey.Reveal(), want: "tk"},
		{field: "webhook.css_key", got: document.Webhook.CSSKey.Reveal()},
		{field: "delivery_key", got: document.DeliveryKey.Reveal(), want: "whsec_bm90LWEta2V5"},
		{field: "ledger.username", got: document.Ledger.Username.Reveal(), want: "giftstats"},
		{field: "ledger.password", got: document.Ledger.Password.Reveal(), want: "lp"},
	} {
		if test.got != test.want {
			t.Errorf("%s is %q, want %q", test.field, test.got, test.want)
		}
	}
	if len(document.APIKeys) != 1 {
		t.Errorf("%d API keys, want 1", len(document.APIKeys))
	}
}

func TestParseDocumentOfABareKey(t *testing.T) {
	document, err := secret.ParseDocument([]byte("  "+fakeKey+"\n"), keyDefaults)
	if err != nil {
		t.Fatal(err)
	}
	if document.SecretKey.Reveal() != fakeKey {
		t.Errorf("the key is %q", document.SecretKey.Reveal())
	}
	if got := (secret.KeyDefaults{SDKAppID: document.SDKAppID, Admin: document.Admin}); got != keyDefaults {
		t.Errorf("app and administrator are %+v, want %+v", got, keyDefaults)
	}
}

func TestParseDocumentWithTheRequiredFieldsOnly(t *testing.T) {
	minimal, err := secret.ParseDocument([]byte(`{"sdk_app_id":"1400000000","admin":"a","secret_key":"k"}`), secret.KeyDefaults{})
	if err != nil || minimal.SDKAppID != 1400000000 || !minimal.DeliveryKey.Empty() {
		t.Errorf("a minimal document with the number as a string: %v", err)
	}
}

func TestParseDocumentNamesMistakes(t *testing.T) {
	document := func(more string) string {
		return `{"sdk_app_id":1400000000,"admin":"administrator","secret_key":"` + fakeKey + `"` + more + `}`
	}
	for _, test := range []struct {
		name, secret string
		defaults     secret.KeyDefaults
		want         []string
	}{
		{name: "empty", secret: " \n", defaults: keyDefaults, want: []string{"the secret is empty"}},
		{
			name: "bare key without settings", secret: fakeKey, defaults: secret.KeyDefaults{},
			want: []string{"GIFTSTATS_SDK_APP_ID", "GIFTSTATS_ADMIN"},
		},
		{
			name: "bare key with a space inside", secret: fakeKey + " " + fakeKey, defaults: keyDefaults,
			want: []string{"secret_key must not contain white space"},
		},
		{name: "bare key that is not UTF-8", secret: fakeKey + "\xff", defaults: keyDefaults, want: []string{"secret_key must not contain"}},
		{
			name: "truncated", secret: `{"sdk_app_id":1400000000,"secret_key":"` + fakeKey, defaults: secret.KeyDefaults{},
			want: []string{"starts like a JSON object, but is invalid or incomplete JSON"},
		},
		{
			name: "all missing", secret: `{}`, defaults: secret.KeyDefaults{},
			want: []string{"sdk_app_id is required", "admin is required", "secret_key is required"},
		},
		{
			name: "null and empty are missing", secret: `{"sdk_app_id":null,"admin":"","secret_key":""}`, defaults: secret.KeyDefaults{},
			want: []string{"sdk_app_id is required", "admin is required", "secret_key is required"},
		},
		{
			name: "app number of letters", secret: `{"sdk_app_id":"` + fakeKey + `","admin":"a","secret_key":"k"}`, defaults: secret.KeyDefaults{},
			want: []string{"sdk_app_id must be the app's number"},
		},
		{
			name: "app number in an array", secret: `{"sdk_app_id":["` + fakeKey + `"],"admin":"a","secret_key":"k"}`,
			defaults: secret.KeyDefaults{}, want: []string{"sdk_app_id must be the app's number"},
		},
		{
			name: "admin not a string", secret: `{"sdk_app_id":1,"admin":12345,"secret_key":"k"}`, defaults: secret.KeyDefaults{},
			want: []string{"admin must be a string"},
		},
		{
			name: "secret key not a string", secret: `{"sdk_app_id":1,"admin":"a","secret_key":["` + fakeKey + `"]}`, defaults: secret.KeyDefaults{},
			want: []string{"secret_key must be a string"},
		},
		{
			name: "invalid JSON", secret: `{"sdk_app_id":1,"secret_key":"` + fakeKey + `"admin"}`, defaults: secret.KeyDefaults{},
			want: []string{"invalid JSON at byte 57"},
		},
		{
			name: "more than an object", secret: document("") + ` "` + fakeKey + `"`, defaults: secret.KeyDefaults{},
			want: []string{"must end after the JSON object"},
		},
		{
			name: "API key not a string", secret: document(`,"api_keys":{"a":12345}`), defaults: secret.KeyDefaults{},
			want: []string{"api_keys must be an object of names and hashes"},
		},
		{
			name: "all at once", secret: `{"admin":"` + strings.Repeat("a", 33) + `","secret_key":"a b","delivery_key":"` + fakeKey + `"}`,
			defaults: secret.KeyDefaults{},
			want:     []string{"sdk_app_id is required", "admin must be", "secret_key must not", "delivery_key must be"},
		},
		{
			name: "app number not positive", secret: `{"sdk_app_id":-1,"admin":"a","secret_key":"k"}`, defaults: secret.KeyDefaults{},
			want: []string{"sdk_app_id must be the app's number"},
		},
		{
			name: "admin too long", secret: `{"sdk_app_id":1,"admin":"` + strings.Repeat("a", 33) + `","secret_key":"k"}`,
			defaults: secret.KeyDefaults{}, want: []string{"admin must be an account of at most 32 bytes"},
		},
		{
			name: "api_keys not an object", secret: document(`,"api_keys":["` + fakeKey + `"]`), defaults: secret.KeyDefaults{},
			want: []string{"api_keys must be an object of names and hashes"},
		},
		{
			name: "API key in the clear", secret: document(`,"api_keys":{"a":"` + fakeHash + `","b":"` + fakeKey + `"}`),
			defaults: secret.KeyDefaults{}, want: []string{"api_keys: entry 2 of 2", "must be the SHA-256 of a key in hex"},
		},
		{
			name: "API key of 64 other letters", secret: document(`,"api_keys":{"a":"` + strings.Repeat("z", 64) + `"}`),
			defaults: secret.KeyDefaults{}, want: []string{"api_keys: entry 1 of 1"},
		},
		{
			name: "hash of nothing", secret: document(`,"api_keys":{"a":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`),
			defaults: secret.KeyDefaults{}, want: []string{"entry 1 of 1 (sorted by name) is the hash of an empty key"},
		},
		{
			name: "webhook not an object", secret: document(`,"webhook":"` + fakeKey + `"`), defaults: secret.KeyDefaults{},
			want: []string{"webhook must be an object"},
		},
		{
			name: "webhook misspelled", secret: document(`,"webhook":{"live_key":"` + fakeKey + `"}`), defaults: secret.KeyDefaults{},
			want: []string{"unknown field live_key (misspelled?)"},
		},
		{
			name: "webhook key not a string", secret: document(`,"webhook":{"css_key":12345}`), defaults: secret.KeyDefaults{},
			want: []string{"webhook.css_key must be a string"},
		},
		{
			name: "ledger not an object", secret: document(`,"ledger":"` + fakeKey + `"`), defaults: secret.KeyDefaults{},
			want: []string{"ledger must be an object"},
		},
		{
			name: "ledger misspelled", secret: document(`,"ledger":{"user":"` + fakeKey + `"}`), defaults: secret.KeyDefaults{},
			want: []string{"unknown field user (misspelled?)"},
		},
		{
			name: "ledger password not a string", secret: document(`,"ledger":{"password":12345}`), defaults: secret.KeyDefaults{},
			want: []string{"ledger.password must be a string"},
		},
		{
			name: "delivery key without whsec_", secret: document(`,"delivery_key":"` + fakeKey + `"`), defaults: secret.KeyDefaults{},
			want: []string{"delivery_key must be whsec_"},
		},
		{
			name: "delivery key not a string", secret: document(`,"delivery_key":{}`), defaults: secret.KeyDefaults{},
			want: []string{"delivery_key must be a string"},
		},
		{
			name: "unknown field", secret: document(`,"apikeys":{}`), defaults: secret.KeyDefaults{},
			want: []string{"unknown field apikeys (misspelled?)"},
		},
		{
			name: "key as a name", secret: document(`,"` + fakeKey + `":1`), defaults: secret.KeyDefaults{},
			want: []string{"unknown field, whose name may be a secret"},
		},
		{
			name: "two keys, of which only one would be used", defaults: secret.KeyDefaults{},
			secret: document(`,"secret_key":"` + fakeKey + `"`), want: []string{"has the field secret_key more than once"},
		},
		{
			name: "two hashes of one holder", secret: document(`,"api_keys":{"a":"` + fakeHash + `","a":"` + fakeHash + `"}`),
			defaults: secret.KeyDefaults{}, want: []string{"has the field a more than once"},
		},
		{
			name: "two sets of keys, which would be merged", secret: document(`,"webhook":{"live_token":"x"},"webhook":{"css_key":"y"}`),
			defaults: secret.KeyDefaults{}, want: []string{"has the field webhook more than once"},
		},
		{
			name: "key as a repeated name", secret: document(`,"api_keys":{"` + fakeKey + `":"","` + fakeKey + `":""}`),
			defaults: secret.KeyDefaults{}, want: []string{"has a field more than once; its name may be a secret"},
		},
		{
			name: "a name of digits is not shown", secret: document(`,"api_keys":{"12345":[]}`), defaults: secret.KeyDefaults{},
			want: []string{"api_keys must be an object of names and hashes"},
		},
		{
			name: "field in capitals", secret: document(`,"Delivery_Key":"x"`), defaults: secret.KeyDefaults{},
			want: []string{"unknown field Delivery_Key (misspelled?)"},
		},
		{
			name: "not UTF-8", secret: `{"sdk_app_id":1,"admin":"` + "\xff" + `","secret_key":"k"}`, defaults: secret.KeyDefaults{},
			want: []string{"invalid JSON at byte"},
		},
		{
			name: "contradicting settings", secret: document(""), defaults: secret.KeyDefaults{SDKAppID: 1, Admin: "other"},
			want: []string{"sdk_app_id differs from GIFTSTATS_SDK_APP_ID", "admin differs from GIFTSTATS_ADMIN"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			document, err := secret.ParseDocument([]byte(test.secret), test.defaults)
			if err == nil || document != nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), fakeKey) || strings.Contains(err.Error(), "12345") {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

// No error repeats a secret, wherever it is in a document and in any form.
func TestNoErrorRepeatsAValue(t *testing.T) {
	values := []string{`"%s"`, `["%s"]`, `{"%s":1}`, `{"a":"%s"}`, `{"a":["%s"]}`, `"%s`, `%s`, `{"%s"`, `"\x%s"`, `1%s`, `"%s\ud800"`}
	fields := []string{
		"sdk_app_id", "admin", "secret_key", "api_keys", "webhook", "delivery_key", "ledger", "unknown", fakeKey, fakeKey[:20],
	}
	for _, field := range fields {
		for _, value := range values {
			value = strings.ReplaceAll(value, "%s", fakeKey)
			for _, raw := range []string{
				`{"` + field + `":` + value + `}`,
				`{"webhook":{"live_token":"lt","` + field + `":` + value + `}}`,
				`{"ledger":{"` + field + `":` + value + `}}`,
				`{"sdk_app_id":1,"admin":"a","secret_key":"k"}` + value,
			} {
				_, err := secret.ParseDocument([]byte(raw), secret.KeyDefaults{})
				if err == nil {
					t.Errorf("%s: no error", raw)
				} else if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, fakeKey[:15]) {
					t.Errorf("%s: the error repeats a value: %s", raw, text)
				}
			}
		}
	}
}

func TestKeyHolder(t *testing.T) {
	// printf '%s' hello | sha256sum
	document, err := secret.ParseDocument([]byte(`{"sdk_app_id":1,"admin":"a","secret_key":"k","api_keys":{
		"backoffice":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","other":"`+fakeHash+`"}}`), secret.KeyDefaults{})
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := document.KeyHolder("hello"); !ok || name != "backoffice" {
		t.Errorf("KeyHolder(hello) = %q, %v", name, ok)
	}
	for _, wrong := range []string{"", "Hello", fakeHash} {
		if name, ok := document.KeyHolder(wrong); ok {
			t.Errorf("KeyHolder(%q) = %q", wrong, name)
		}
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	document, err := secret.ParseDocument([]byte(`{"sdk_app_id":1,"admin":"a","secret_key":"`+fakeKey+`","api_keys":{"a":"`+fakeHash+`"},
		"webhook":{"live_token":"`+fakeKey+`"},"delivery_key":"whsec_bm90LWEta2V5","ledger":{"password":"`+fakeKey+`"}}`), secret.KeyDefaults{})
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Redacted secret.Redacted
		hidden   secret.Redacted
		Document *secret.Document
		value    secret.Document
	}
	held := holder{document.SecretKey, document.SecretKey, document, *document}
	var out bytes.Buffer
	for _, value := range []any{
		document, *document, document.SecretKey, &document.SecretKey, document.Webhook, document.Ledger,
		held, &held, []any{held}, map[string]any{"x": held},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		text, err := json.Marshal(value)
		fmt.Fprintln(&out, string(text), err)
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(handler).Info("x", "value", value, slog.Group("g", "value", value))
		}
	}
	fmt.Fprintln(&out, errors.Join(fmt.Errorf("wrapped %v", document)))
	if err := xml.NewEncoder(&out).Encode(document.SecretKey); err != nil {
		t.Error(err)
	}
	for _, leak := range []string{fakeKey, fmt.Sprintf("%x", fakeKey), fmt.Sprintf("%X", fakeKey), "bm90LWEta2V5"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q was printed:\n%s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing says [redacted]")
	}
	if (secret.Redacted{}).Reveal() != "" {
		t.Error("the zero Redacted reveals something")
	}
}

func ExampleParseDocument() {
	const stored = `{"sdk_app_id":1400000000,"admin":"administrator","secret_key":"not-a-real-key"}`
	document, err := secret.ParseDocument([]byte(stored), secret.KeyDefaults{})
	fmt.Println(document.SDKAppID, document.SecretKey, err)
	_, err = secret.ParseDocument([]byte(`{"sdk_app_id":1400000000}`), secret.KeyDefaults{})
	fmt.Println(err)
	_, err = secret.ParseDocument([]byte(`{"sdk_app_id":1400000000,"admin":"administrator","secret_key":7}`), secret.KeyDefaults{})
	fmt.Println(err)
	// Output:
	// 1400000000 [redacted] <nil>
	// admin is required
	// secret_key is required
	// secret_key must be a string
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`{"sdk_app_id":1,"admin":"a","secret_key":"k","api_keys":{"a":"` + fakeHash + `"},"webhook":{"live_token":"x"}}`))
	f.Add([]byte(fakeKey))
	f.Add([]byte(`{"sdk_app_id":`))
	f.Add([]byte(`{"sdk_app_id":1,"admin":"a","secret_key":"k","ledger":{"username":"u"}} {}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		document, err := secret.ParseDocument(raw, keyDefaults)
		if (document == nil) == (err == nil) {
			t.Fatalf("document %v and error %v", document, err)
		}
		if err == nil && (document.SDKAppID <= 0 || document.Admin == "" || document.SecretKey.Empty()) {
			t.Fatal("a required field is missing, but there is no error")
		}
	})
}
