package secret

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Document is the content of an app's secret store. It prints as [redacted].
type Document struct {
	SDKAppID  int64    // the app's number
	Admin     string   // an account with app administrator rights
	SecretKey Redacted // signs UserSigs; with it, one can do anything in the app

	APIKeys     map[string]KeyHash // by the name of the key's holder
	Webhook     WebhookKeys
	DeliveryKey Redacted // signs delivered summaries: whsec_ and base64
	Ledger      LedgerLogin
}

// WebhookKeys verify what Tencent sends. An empty key means that this kind of webhook is not accepted.
type WebhookKeys struct{ LiveToken, TRTCKey, CSSKey Redacted }

// LedgerLogin is the account at the Redis server that stores the ledger. Both fields may be empty.
type LedgerLogin struct{ Username, Password Redacted }

// KeyHash is the SHA-256 of an API key.
type KeyHash [sha256.Size]byte

// Format writes [redacted] for every verb.
func (d Document) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText returns [redacted]; encoding/json uses it, too.
func (d Document) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [redacted].
func (d Document) LogValue() slog.Value { return slog.StringValue(redacted) }

// KeyHolder returns the name of the holder of an API key. It compares the hashes of all keys, in constant time.
func (d *Document) KeyHolder(key string) (name string, ok bool) {
	hash := sha256.Sum256([]byte(key))
	for holder, known := range d.APIKeys {
		if subtle.ConstantTimeCompare(hash[:], known[:]) == 1 {
			name, ok = holder, true
		}
	}
	return name, ok
}

// KeyDefaults are the app and the administrator for a secret that is the key alone. They come from GIFTSTATS_SDK_APP_ID and
// GIFTSTATS_ADMIN.
type KeyDefaults struct {
	SDKAppID int64
	Admin    string
}

// ParseDocument reads a stored secret: a JSON object, or the bare secret key. Its errors name the fields to correct, and contain
// nothing of the secret.
func ParseDocument(raw []byte, defaults KeyDefaults) (*Document, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return nil, errors.New("the secret is empty")
	case raw[0] == '{':
		return parseObject(raw, defaults)
	}
	return parseKey(string(raw), defaults)
}

func parseKey(key string, defaults KeyDefaults) (*Document, error) {
	var incomplete error
	if defaults.SDKAppID == 0 || defaults.Admin == "" {
		incomplete = errors.New("the secret is not a JSON object, so it is used as the secret_key alone: " +
			"set GIFTSTATS_SDK_APP_ID and GIFTSTATS_ADMIN, or store the JSON document")
	}
	if err := errors.Join(incomplete, checkSecretKey(key)); err != nil {
		return nil, err
	}
	return &Document{SDKAppID: defaults.SDKAppID, Admin: defaults.Admin, SecretKey: Redact(key)}, nil
}

func parseObject(raw []byte, defaults KeyDefaults) (*Document, error) {
	object, err := decode(raw)
	if err != nil {
		return nil, err
	}
	keys, err := object.apiKeys()
	if err = errors.Join(object.check(), err, object.checkAgainst(defaults)); err != nil {
		return nil, err
	}
	return &Document{
		SDKAppID:    int64(object.SDKAppID),
		Admin:       object.Admin,
		SecretKey:   Redact(object.SecretKey),
		APIKeys:     keys,
		Webhook:     WebhookKeys{Redact(object.Webhook.LiveToken), Redact(object.Webhook.TRTCKey), Redact(object.Webhook.CSSKey)},
		DeliveryKey: Redact(object.DeliveryKey),
		Ledger:      LedgerLogin{Redact(object.Ledger.Username), Redact(object.Ledger.Password)},
	}, nil
}

// checkAgainst returns an error if the document contradicts the settings that are only for a secret that is the key alone.
func (o *object) checkAgainst(defaults KeyDefaults) error {
	const advice = "that variable is only for a secret that is the key alone; remove it"
	var appID, admin error
	if o.SDKAppID != 0 && int64(o.SDKAppID) != cmp.Or(defaults.SDKAppID, int64(o.SDKAppID)) {
		appID = errors.New("sdk_app_id differs from GIFTSTATS_SDK_APP_ID: " + advice)
	}
	if o.Admin != "" && o.Admin != cmp.Or(defaults.Admin, o.Admin) {
		admin = errors.New("admin differs from GIFTSTATS_ADMIN: " + advice)
	}
	return errors.Join(appID, admin)
}
