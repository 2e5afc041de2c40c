package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/giftstats/giftstats/pkg/secret"
)

// list prints what a document contains, without any secret, and what is not possible with it.
func list(out io.Writer, document *secret.Document) {
	fmt.Fprintf(out, "The secret document is valid:\n\n  %-20s %d\n  %-20s %q\n", "sdk_app_id", document.SDKAppID, "admin", document.Admin)
	line := func(name string, set bool, without string) {
		text := "set"
		if !set {
			text = "not set: " + without
		}
		fmt.Fprintf(out, "  %-20s %s\n", name, text)
	}
	line("secret_key", true, "")
	if keys := len(document.APIKeys); keys > 0 {
		fmt.Fprintf(out, "  %-20s %d\n", "api_keys", keys)
	} else {
		line("api_keys", false, "no back end can call")
	}
	line("webhook.live_token", !document.Webhook.LiveToken.Empty(), "webhooks for live rooms will be answered with 404")
	line("webhook.trtc_key", !document.Webhook.TRTCKey.Empty(), "webhooks of TRTC will be answered with 404")
	line("webhook.css_key", !document.Webhook.CSSKey.Empty(), "webhooks of CSS will be answered with 404")
	line("delivery_key", !document.DeliveryKey.Empty(), "summaries cannot be delivered to https://")
	line("ledger.password", !document.Ledger.Password.Empty(), "correct unless the ledger is a Redis with a login")
	fmt.Fprintln(out)
}

// checkKey reports whether a caller's key is in the document. Without a key it does nothing.
//
// A key of 64 hex digits looks like a hash. Only the key itself shows that it was stored in the place of its hash.
func checkKey(out io.Writer, document *secret.Document, key string) error {
	if key == "" {
		return nil
	}
	if _, ok := document.KeyHolder(key); ok {
		fmt.Fprint(out, "The API key in the variable KEY is one of api_keys.\n\n")
		return nil
	}
	if raw, err := hex.DecodeString(key); err == nil {
		for _, hash := range document.APIKeys {
			if string(raw) == string(hash[:]) {
				return errors.New("api_keys contains the API key in the variable KEY itself, so this key will be refused: " +
					"store its SHA-256 instead" + howToHash)
			}
		}
	}
	return errors.New("the API key in the variable KEY will be refused: its SHA-256 is not in api_keys" + howToHash)
}

const howToHash = "\nTo hash a key so that it is in no shell history and no list of processes, run this and paste the key:\n" +
	"  read -rs KEY && printf %s \"$KEY\" | sha256sum"
