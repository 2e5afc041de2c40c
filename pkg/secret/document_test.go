package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/secret"
)

const (
	fakeKey  = "not-a-real-key-0123456789"
	fakeHash = "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"
)

var bare = secret.Bare{SDKAppID: 1400000000, Admin: "administrator"}

func TestParseDocument(t *testing.T) {
	full := `{"sdk_app_id":1400000000,"admin":"administrator","secret_key":"` + fakeKey + `",
		"api_keys":{"backoffice":"` + fakeHash + `"},"webhook":{"live_token":"lt","trtc_key":"tk","css_key":null},"delivery_key":"whsec_bm90LWEta2V5",
		"ledger":{"username":"giftstats","password":"lp"}}`
	document, err := secret.ParseDocument([]byte(full), secret.Bare{})
	if err != nil {
		t.Fatal(err)
	}
	if document.SDKAppID != 1400000000 || document.Admin != "administrator" || document.SecretKey.Reveal() != fakeKey ||
		len(document.APIKeys) != 1 || document.Webhook.LiveToken.Reveal() != "lt" || document.Webhook.TRTCKey.Reveal() != "tk" ||
		!document.Webhook.CSSKey.Empty() || document.DeliveryKey.Reveal() != "whsec_bm90LWEta2V5" {
		t.Errorf("the document lost something")
	}
	if document.Ledger.Username.Reveal() != "giftstats" || document.Ledger.Password.Reveal() != "lp" {
		t.Error("the login of the ledger is lost")
	}
	plain, err := secret.ParseDocument([]byte("  "+fakeKey+"\n"), bare)
	if err != nil || plain.SecretKey.Reveal() != fakeKey || plain.SDKAppID != bare.SDKAppID || plain.Admin != bare.Admin {
		t.Errorf("a bare key: %v", err)
	}
	minimal, err := secret.ParseDocument([]byte(`{"sdk_app_id":"1400000000","admin":"a","secret_key":"k"}`), secret.Bare{})
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
		bare         secret.Bare
		want         []string
	}{
		{"empty", " \n", bare, []string{"the secret is empty"}},
		{"bare key without settings", fakeKey, secret.Bare{}, []string{"GIFTSTATS_SDK_APP_ID", "GIFTSTATS_ADMIN"}},
		{"bare key with a space inside", fakeKey + " " + fakeKey, bare, []string{"secret_key holds white space"}},
		{"bare key that is not UTF-8", fakeKey + "\xff", bare, []string{"secret_key holds"}},
		{"truncated", `{"sdk_app_id":1400000000,"secret_key":"` + fakeKey, secret.Bare{}, []string{"begins like a JSON object but is none"}},
		{"all missing", `{}`, secret.Bare{}, []string{"sdk_app_id is missing", "admin is missing", "secret_key is missing"}},
		{"null and empty are missing", `{"sdk_app_id":null,"admin":"","secret_key":""}`, secret.Bare{}, []string{"sdk_app_id is missing", "admin is missing", "secret_key is missing"}},
		{"wrong types", `{"sdk_app_id":"` + fakeKey + `","admin":7,"secret_key":["` + fakeKey + `"]}`, secret.Bare{}, []string{"sdk_app_id: must be the app's number", "admin: must be an account", "secret_key: must be a string"}},
		{"app number not positive", `{"sdk_app_id":-1,"admin":"a","secret_key":"k"}`, secret.Bare{}, []string{"sdk_app_id: must be"}},
		{"admin too long", `{"sdk_app_id":1,"admin":"` + strings.Repeat("a", 33) + `","secret_key":"k"}`, secret.Bare{}, []string{"admin: must be an account of 1 to 32 bytes"}},
		{"api_keys no object", document(`,"api_keys":["` + fakeKey + `"]`), secret.Bare{}, []string{"api_keys: must be an object"}},
		{"api key in the clear", document(`,"api_keys":{"a":"` + fakeHash + `","b":"` + fakeKey + `"}`), secret.Bare{}, []string{"api_keys: entry 2 of 2", "hex SHA-256"}},
		{"api key of 64 other letters", document(`,"api_keys":{"a":"` + strings.Repeat("z", 64) + `"}`), secret.Bare{}, []string{"api_keys: entry 1 of 1"}},
		{"hash of nothing", document(`,"api_keys":{"a":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`), secret.Bare{}, []string{"entry 1 of 1 in the order of their names is the hash of an empty key"}},
		{"webhook no object", document(`,"webhook":"` + fakeKey + `"`), secret.Bare{}, []string{"webhook: must be an object"}},
		{"webhook misspelt", document(`,"webhook":{"live_key":"` + fakeKey + `"}`), secret.Bare{}, []string{"webhook: webhook.live_key is no field"}},
		{"webhook key no string", document(`,"webhook":{"css_key":12345}`), secret.Bare{}, []string{"webhook.css_key: must be a string"}},
		{"ledger no object", document(`,"ledger":"` + fakeKey + `"`), secret.Bare{}, []string{"ledger: must be an object"}},
		{"ledger misspelt", document(`,"ledger":{"user":"` + fakeKey + `"}`), secret.Bare{}, []string{"ledger.user is no field"}},
		{"ledger password no string", document(`,"ledger":{"password":12345}`), secret.Bare{}, []string{"ledger.password: must be a string"}},
		{"delivery key without whsec_", document(`,"delivery_key":"` + fakeKey + `"`), secret.Bare{}, []string{"delivery_key: must be whsec_"}},
		{"delivery key no string", document(`,"delivery_key":{}`), secret.Bare{}, []string{"delivery_key: must be a string"}},
		{"unknown field", document(`,"apikeys":{}`), secret.Bare{}, []string{"apikeys is no field of the secret document"}},
		{"key as a name", document(`,"` + fakeKey + `":1`), secret.Bare{}, []string{"(a name not shown here) is no field"}},
		{"contradicting settings", document(""), secret.Bare{SDKAppID: 1, Admin: "other"}, []string{"sdk_app_id differs from GIFTSTATS_SDK_APP_ID", "admin differs from GIFTSTATS_ADMIN"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			document, err := secret.ParseDocument([]byte(test.secret), test.bare)
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

func TestKeyHolder(t *testing.T) {
	// printf '%s' hello | sha256sum
	document, err := secret.ParseDocument([]byte(`{"sdk_app_id":1,"admin":"a","secret_key":"k","api_keys":{
		"backoffice":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","other":"`+fakeHash+`"}}`), secret.Bare{})
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
		"webhook":{"live_token":"`+fakeKey+`"},"delivery_key":"whsec_bm90LWEta2V5","ledger":{"password":"`+fakeKey+`"}}`), secret.Bare{})
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Text     secret.Text
		hidden   secret.Text
		Document *secret.Document
		value    secret.Document
	}
	held := holder{document.SecretKey, document.SecretKey, document, *document}
	var out bytes.Buffer
	for _, value := range []any{document, *document, document.SecretKey, &document.SecretKey, held, &held, []any{held}, map[string]any{"x": held}, document.Webhook, document.Ledger} {
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
	if (secret.Text{}).Reveal() != "" {
		t.Error("the zero Text reveals something")
	}
}

func ExampleParseDocument() {
	document, err := secret.ParseDocument([]byte(`{"sdk_app_id":1400000000,"admin":"administrator","secret_key":"not-a-real-key"}`), secret.Bare{})
	fmt.Println(document.SDKAppID, document.SecretKey, err)
	_, err = secret.ParseDocument([]byte(`{"sdk_app_id":1400000000,"secret_key":7}`), secret.Bare{})
	fmt.Println(err)
	// Output:
	// 1400000000 [redacted] <nil>
	// admin is missing
	// secret_key: must be a string
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`{"sdk_app_id":1,"admin":"a","secret_key":"k","api_keys":{"a":"` + fakeHash + `"},"webhook":{"live_token":"x"}}`))
	f.Add([]byte(fakeKey))
	f.Add([]byte(`{"sdk_app_id":`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		document, err := secret.ParseDocument(raw, bare)
		if (document == nil) == (err == nil) {
			t.Fatalf("document %v and error %v", document, err)
		}
		if err == nil && (document.SDKAppID <= 0 || document.Admin == "" || document.SecretKey.Empty()) {
			t.Fatal("a required field is not there, and no error")
		}
	})
}
