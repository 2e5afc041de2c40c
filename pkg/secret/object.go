package secret

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/strict"
)

// object is the JSON of a document, in the form that it is stored in.
type object struct {
	SDKAppID  appID  `json:"sdk_app_id"`
	Admin     string `json:"admin"`
	SecretKey string `json:"secret_key"`
	APIKeys   hashes `json:"api_keys"`
	Webhook   struct {
		LiveToken string `json:"live_token"`
		TRTCKey   string `json:"trtc_key"`
		CSSKey    string `json:"css_key"`
	} `json:"webhook"`
	DeliveryKey string `json:"delivery_key"`
	Ledger      struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"ledger"`
}

// appID is a number that may be quoted: secret stores with a form for keys and values save every value as a string.
type appID int64

func (id *appID) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if text == "" || text == "null" {
		return nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number <= 0 {
		return errors.New("not the number of an app") // the decoder adds the name of the field
	}
	*id = appID(number)
	return nil
}

// hashes are hex texts by the name of the key's holder.
type hashes map[string]hexText

type hexText string

// decode refuses unknown fields, because a misspelled one would silently switch something off, and repeated ones, because only one of
// two keys could be used.
func decode(raw []byte) (*object, error) {
	o := new(object)
	if err := strict.Decode(raw, o); err != nil {
		return nil, sanitize(err)
	}
	return o, nil
}

// sanitize turns an error of the decoder into one that contains nothing of the secret: a key may have been stored in the place of a
// value or of a field's name.
func sanitize(err error) error {
	var wrong *strict.Error
	if !errors.As(err, &wrong) {
		return errors.New("the secret starts like a JSON object, but is invalid or incomplete JSON")
	}
	switch wrong.Fault {
	case strict.Malformed:
		return fmt.Errorf("the secret starts like a JSON object, but is invalid JSON at byte %d", wrong.Offset+1)
	case strict.Trailing:
		return errors.New("the secret must end after the JSON object")
	case strict.WrongType:
		if strings.HasPrefix(wrong.Path, "api_keys") { // the names in it are not fields
			return errors.New("api_keys must be " + expected(wrong.Want))
		}
		return fmt.Errorf("%s must be %s", wrong.Path, expected(wrong.Want))
	case strict.Unknown:
		if looksLikeField(wrong.Name) {
			return fmt.Errorf("the secret document has the unknown field %s (misspelled?)", wrong.Name)
		}
		return errors.New("the secret document has an unknown field, whose name may be a secret and is not shown")
	case strict.Repeated:
		if looksLikeField(wrong.Name) {
			return fmt.Errorf("the secret document has the field %s more than once", wrong.Name)
		}
		return errors.New("the secret document has a field more than once; its name may be a secret and is not shown")
	}
	return errors.New("the secret starts like a JSON object, but is invalid or incomplete JSON")
}

// expected describes the JSON that decodes into a type.
func expected(goType reflect.Type) string {
	switch {
	case goType == reflect.TypeFor[appID]():
		return "the app's number, like 1400000000"
	case goType == reflect.TypeFor[hashes](), goType == reflect.TypeFor[hexText]():
		return "an object of names and hashes"
	case goType.Kind() == reflect.String:
		return "a string"
	}
	return "an object"
}

// looksLikeField reports whether a name is short and has only letters and underscores, so that it cannot be a key in the wrong place.
func looksLikeField(name string) bool {
	return len(name) <= 24 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// check returns everything that is wrong in one error.
func (o *object) check() error {
	var errs []error
	if o.SDKAppID == 0 {
		errs = append(errs, errors.New("sdk_app_id is required"))
	}
	if o.Admin == "" {
		errs = append(errs, errors.New("admin is required"))
	} else if giftstats.ValidateAccount(o.Admin) != nil {
		errs = append(errs, fmt.Errorf("admin must be an account of at most %d bytes", giftstats.MaxAccountBytes))
	}
	if o.SecretKey == "" {
		errs = append(errs, errors.New("secret_key is required"))
	}
	return errors.Join(append(errs, checkSecretKey(o.SecretKey), checkDeliveryKey(o.DeliveryKey))...)
}

// checkSecretKey refuses what must be a copying mistake. Tencent's keys are 64 letters and digits, but no page guarantees that.
func checkSecretKey(key string) error {
	blank := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	if !utf8.ValidString(key) || strings.ContainsFunc(key, blank) {
		return errors.New("secret_key must not contain white space, control characters or invalid UTF-8: was it copied completely?")
	}
	return nil
}

// checkDeliveryKey accepts a secret of Standard Webhooks, or none.
//
// Source: https://github.com/standard-webhooks/standard-webhooks
func checkDeliveryKey(text string) error {
	if text == "" {
		return nil
	}
	encoded, found := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) == 0 {
		return errors.New("delivery_key must be whsec_ followed by base64")
	}
	return nil
}

// ErrNotHash is in the error of a document with an entry of api_keys that is not a hash. It is probably the key itself.
var ErrNotHash = errors.New("must be the SHA-256 of a key in hex (64 digits)")

// apiKeys decodes the hashes. Its errors count the entries instead of naming them, since a key may have been stored as its own name.
func (o *object) apiKeys() (map[string]KeyHash, error) {
	keys := make(map[string]KeyHash, len(o.APIKeys))
	for i, name := range slices.Sorted(maps.Keys(o.APIKeys)) {
		entry := fmt.Sprintf("api_keys: entry %d of %d (sorted by name)", i+1, len(o.APIKeys))
		hash, err := hex.DecodeString(string(o.APIKeys[name]))
		if err != nil || len(hash) != sha256.Size {
			return nil, fmt.Errorf("%s %w", entry, ErrNotHash)
		}
		if KeyHash(hash) == sha256.Sum256(nil) {
			return nil, errors.New(entry + " is the hash of an empty key")
		}
		keys[name] = KeyHash(hash)
	}
	return keys, nil
}
