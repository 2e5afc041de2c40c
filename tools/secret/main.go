// Command secret creates the secret document of an app:
//
//	secret DIRECTORY
//
// It creates secret.json, in which you enter the app, its administrator and its key, and api-key, which contains a new API key. The
// document has the SHA-256 of that key. Only the user can read both files. Neither is printed. It overwrites nothing, and refuses a
// directory in a git checkout, where the files could be committed or packaged by mistake.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] == "" {
		fmt.Fprintln(os.Stderr, "usage: secret DIRECTORY")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "secret:", err)
		os.Exit(1)
	}
}

func run(directory string, out io.Writer) error {
	directory, err := filepath.Abs(directory)
	if err != nil {
		return err
	}
	if checkout := checkoutOf(resolved(directory)); checkout != "" {
		return fmt.Errorf("%s is in the git checkout %s: choose a directory outside of it, like make secret DIR=$(mktemp -d)",
			directory, checkout)
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	key := hex.EncodeToString(random())
	document, err := document(key)
	if err != nil {
		return err
	}
	documentFile, keyFile := filepath.Join(directory, "secret.json"), filepath.Join(directory, "api-key")
	if err := create(documentFile, document); err != nil {
		return err
	}
	if err := create(keyFile, []byte(key+"\n")); err != nil {
		return errors.Join(err, os.Remove(documentFile))
	}
	_, err = fmt.Fprintf(out, `Created two files that only you can read:

  %[1]s
  %[2]s

Open the first one, and enter sdk_app_id, admin, secret_key, and the keys of the webhooks that you have. Then:

  make check SECRET='file://%[1]s' ENDPOINT=singapore

The second one is the API key of "backoffice". The document contains only its SHA-256.
`, documentFile, keyFile)
	return err
}

// resolved returns a directory without the symbolic links in its path. What does not exist yet has none.
func resolved(directory string) string {
	if target, err := filepath.EvalSymlinks(directory); err == nil {
		return target
	}
	parent := filepath.Dir(directory)
	if parent == directory {
		return directory
	}
	return filepath.Join(resolved(parent), filepath.Base(directory))
}

// checkoutOf returns the nearest directory above that is a git checkout, or "".
func checkoutOf(directory string) string {
	for ; ; directory = filepath.Dir(directory) {
		if _, err := os.Lstat(filepath.Join(directory, ".git")); err == nil {
			return directory
		}
		if directory == filepath.Dir(directory) {
			return ""
		}
	}
}

// create writes a file that did not exist.
func create(name string, content []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s already exists: use it, or remove it first", name)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// document returns a document in which the app is missing.
func document(key string) ([]byte, error) {
	hash := sha256.Sum256([]byte(key))
	var d struct {
		SDKAppID  int64             `json:"sdk_app_id"`
		Admin     string            `json:"admin"`
		SecretKey string            `json:"secret_key"`
		APIKeys   map[string]string `json:"api_keys"`
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
	d.Admin = "administrator"
	d.APIKeys = map[string]string{"backoffice": hex.EncodeToString(hash[:])}
	d.DeliveryKey = "whsec_" + base64.StdEncoding.EncodeToString(random())
	text, err := json.MarshalIndent(d, "", "  ")
	return append(text, '\n'), err
}

// random returns 256 random bits.
func random() []byte {
	bits := make([]byte, 32)
	rand.Read(bits)
	return bits
}
