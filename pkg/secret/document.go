package secret

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// Document is what an app keeps in its secret store. It prints as [redacted].
type Document struct {
	SDKAppID  int64  // the app's number
	Admin     string // an account with app administrator rights
	SecretKey Text   // the key that signs UserSigs: it can do anything in the app

	APIKeys     map[string]KeyHash // by the name of who holds the key
	Webhook     WebhookKeys
	DeliveryKey Text // signs delivered summaries: whsec_ and base64
	Ledger      LedgerLogin
}

// LedgerLogin is the account at the Redis server that keeps the ledger. Both fields may be empty.
type LedgerLogin struct{ Username, Password Text }

// WebhookKeys verify what Tencent sends; an empty one means that this kind of webhook is not accepted.
type WebhookKeys struct{ LiveToken, TRTCKey, CSSKey Text }

// KeyHash is the SHA-256 of an api key.
type KeyHash [sha256.Size]byte

// Format writes [redacted] for every verb.
func (d Document) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText gives [redacted], also to encoding/json.
func (d Document) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives [redacted].
func (d Document) LogValue() slog.Value { return slog.StringValue(redacted) }

// KeyHolder names who holds the api key. It compares hashes, all of them and in constant time.
func (d *Document) KeyHolder(key string) (name string, ok bool) {
	hash := sha256.Sum256([]byte(key))
	for holder, known := range d.APIKeys {
		if subtle.ConstantTimeCompare(hash[:], known[:]) == 1 {
			name, ok = holder, true
		}
	}
	return name, ok
}

// Bare completes a secret that is the bare key: the settings GIFTSTATS_SDK_APP_ID and GIFTSTATS_ADMIN.
type Bare struct {
	SDKAppID int64
	Admin    string
}

// ParseDocument reads a secret as it is stored: a JSON object, or else the bare secret key. Each mistake is named by its
// field; no text of an error holds anything of the secret.
func ParseDocument(raw []byte, bare Bare) (*Document, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, errors.New("the secret is empty")
	}
	var document *Document
	var err error
	if raw[0] == '{' {
		document, err = parseObject(raw, bare)
	} else {
		document = &Document{SDKAppID: bare.SDKAppID, Admin: bare.Admin, SecretKey: NewText(string(raw))}
		if bare.SDKAppID == 0 || bare.Admin == "" {
			err = errors.New("the secret is no JSON object, so it is taken as the bare secret_key: set GIFTSTATS_SDK_APP_ID and GIFTSTATS_ADMIN, or store the JSON document")
		}
	}
	if err = errors.Join(err, validateKey(document.SecretKey)); err != nil {
		return nil, err
	}
	return document, nil
}

func parseObject(raw []byte, bare Bare) (*Document, error) {
	document := &Document{}
	fields, err := objectFields("", raw)
	if err != nil {
		return document, err
	}
	mistakes := []error{
		fields.required("sdk_app_id", func(v json.RawMessage) error { return parseAppID(v, &document.SDKAppID) }),
		fields.required("admin", func(v json.RawMessage) error { return parseAdmin(v, &document.Admin) }),
		fields.required("secret_key", parseText(&document.SecretKey)),
		fields.optional("api_keys", func(v json.RawMessage) error { return parseAPIKeys(v, &document.APIKeys) }),
		fields.optional("webhook", func(v json.RawMessage) error { return parseWebhook(v, &document.Webhook) }),
		fields.optional("delivery_key", func(v json.RawMessage) error { return parseDeliveryKey(v, &document.DeliveryKey) }),
		fields.optional("ledger", func(v json.RawMessage) error { return parseLedger(v, &document.Ledger) }),
		fields.unknown(),
	}
	if bare.SDKAppID != 0 && document.SDKAppID != 0 && bare.SDKAppID != document.SDKAppID {
		mistakes = append(mistakes, errors.New("sdk_app_id differs from GIFTSTATS_SDK_APP_ID: that variable is only for a secret that is the bare key; remove it"))
	}
	if bare.Admin != "" && document.Admin != "" && bare.Admin != document.Admin {
		mistakes = append(mistakes, errors.New("admin differs from GIFTSTATS_ADMIN: that variable is only for a secret that is the bare key; remove it"))
	}
	return document, errors.Join(mistakes...)
}

func parseAppID(value json.RawMessage, into *int64) error {
	digits := strings.Trim(string(value), `"`)
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || id <= 0 {
		return errors.New("must be the app's number")
	}
	*into = id
	return nil
}

func parseAdmin(value json.RawMessage, into *string) error {
	if json.Unmarshal(value, into) != nil || giftstats.ValidateAccount(*into) != nil {
		*into = ""
		return fmt.Errorf("must be an account of 1 to %d bytes", giftstats.MaxAccountBytes)
	}
	return nil
}

func parseText(into *Text) func(json.RawMessage) error {
	return func(value json.RawMessage) error {
		var text string
		if json.Unmarshal(value, &text) != nil {
			return errors.New("must be a string")
		}
		*into = NewText(text)
		return nil
	}
}

func parseAPIKeys(value json.RawMessage, into *map[string]KeyHash) error {
	var hashes map[string]json.RawMessage
	if json.Unmarshal(value, &hashes) != nil {
		return errors.New("must be an object of names and hashes")
	}
	*into = make(map[string]KeyHash, len(hashes))
	for number, name := range slices.Sorted(maps.Keys(hashes)) {
		var text string
		var hash KeyHash
		decodable := json.Unmarshal(hashes[name], &text) == nil && len(text) == hex.EncodedLen(len(hash))
		if decodable {
			_, err := hex.Decode(hash[:], []byte(text))
			decodable = err == nil
		}
		if !decodable {
			return fmt.Errorf("entry %d of %d in the order of their names is no hex SHA-256 (64 digits) of a key", number+1, len(hashes))
		}
		if hash == sha256.Sum256(nil) {
			return fmt.Errorf("entry %d of %d in the order of their names is the hash of an empty key", number+1, len(hashes))
		}
		(*into)[name] = hash
	}
	return nil
}

func parseWebhook(value json.RawMessage, into *WebhookKeys) error {
	fields, err := objectFields("webhook.", value)
	if err != nil {
		return err
	}
	return errors.Join(
		fields.optional("live_token", parseText(&into.LiveToken)),
		fields.optional("trtc_key", parseText(&into.TRTCKey)),
		fields.optional("css_key", parseText(&into.CSSKey)),
		fields.unknown(),
	)
}

func parseLedger(value json.RawMessage, into *LedgerLogin) error {
	fields, err := objectFields("ledger.", value)
	if err != nil {
		return err
	}
	return errors.Join(
		fields.optional("username", parseText(&into.Username)),
		fields.optional("password", parseText(&into.Password)),
		fields.unknown(),
	)
}

// parseDeliveryKey takes a Standard Webhooks secret: https://github.com/standard-webhooks/standard-webhooks
func parseDeliveryKey(value json.RawMessage, into *Text) error {
	if err := parseText(into)(value); err != nil {
		return err
	}
	encoded, found := strings.CutPrefix(into.Reveal(), "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) == 0 {
		return errors.New("must be whsec_ followed by base64")
	}
	return nil
}

// validateKey refuses what can only be a copying mistake. Tencent's keys are 64 letters and digits, but no page promises it.
func validateKey(key Text) error {
	text := key.Reveal()
	switch {
	case text == "":
		return nil // missing: said already
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return errors.New("secret_key holds white space, control characters or bytes that are not UTF-8: it was probably not copied whole")
	}
	return nil
}
