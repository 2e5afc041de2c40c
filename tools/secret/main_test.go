package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/secret"
)

func TestDocumentIsValidOnceTheAppIsEntered(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "config", "giftstats")
	var out bytes.Buffer
	if err := run(directory, &out); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"": 0o700 | os.ModeDir, "secret.json": 0o600, "api-key": 0o600} {
		info, err := os.Stat(filepath.Join(directory, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%q has the mode %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	text, key := read(t, directory, "secret.json"), strings.TrimSpace(read(t, directory, "api-key"))
	for name, value := range map[string]string{"document": text, "key": key} {
		if strings.Contains(out.String(), value) {
			t.Errorf("the output contains the %s: %s", name, &out)
		}
	}
	if _, err := secret.ParseDocument([]byte(text), secret.KeyDefaults{}); err == nil || !strings.Contains(err.Error(), "sdk_app_id must be") {
		t.Errorf("before the app is entered, the error is %v", err)
	}
	text = strings.Replace(text, `"sdk_app_id": 0`, `"sdk_app_id": 1400000000`, 1)
	text = strings.Replace(text, `"secret_key": ""`, `"secret_key": "not-a-real-key"`, 1)
	document, err := secret.ParseDocument([]byte(text), secret.KeyDefaults{})
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := document.KeyHolder(key); !ok || name != "backoffice" {
		t.Errorf("the key is that of %q, %v; want backoffice", name, ok)
	}
	if document.DeliveryKey.Empty() {
		t.Error("the document has no delivery_key")
	}
}

func TestFilesAreNotOverwritten(t *testing.T) {
	for _, present := range []string{"secret.json", "api-key"} {
		directory := t.TempDir()
		if err := os.WriteFile(filepath.Join(directory, present), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run(directory, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), present+" already exists") {
			t.Errorf("with %s, the error is %v", present, err)
		}
		if got := read(t, directory, present); got != "old" {
			t.Errorf("%s was overwritten", present)
		}
		if files, err := os.ReadDir(directory); err != nil || len(files) != 1 {
			t.Errorf("with %s, %d files are left, %v; want 1", present, len(files), err)
		}
	}
}

func TestCheckoutIsRefused(t *testing.T) {
	checkout := t.TempDir()
	if err := os.WriteFile(filepath.Join(checkout, ".git"), []byte("gitdir: elsewhere"), 0o600); err != nil {
		t.Fatal(err)
	}
	inside, link := filepath.Join(checkout, "inside"), filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Mkdir(inside, 0o700), os.Symlink(inside, link)); err != nil {
		t.Fatal(err)
	}
	for _, directory := range []string{filepath.Join(checkout, "new", "folder"), link, filepath.Join(link, "new", "folder")} {
		err := run(directory, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), "choose a directory outside") {
			t.Errorf("for %s, the error is %v", directory, err)
		}
	}
	if _, err := os.Stat(filepath.Join(checkout, "new")); !os.IsNotExist(err) {
		t.Errorf("the directory was created: %v", err)
	}
	if files, err := os.ReadDir(inside); err != nil || len(files) > 0 {
		t.Errorf("%d files were created behind the link, %v", len(files), err)
	}
}

// Two documents share no key.
func TestKeysAreRandom(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		directory := t.TempDir()
		if err := run(directory, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		var document struct {
			DeliveryKey string `json:"delivery_key"`
		}
		if err := json.Unmarshal([]byte(read(t, directory, "secret.json")), &document); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{document.DeliveryKey, read(t, directory, "api-key")} {
			if len(key) < 44 || seen[key] {
				t.Errorf("the key %q is short or not new", key)
			}
			seen[key] = true
		}
	}
}

func read(t *testing.T, directory, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(directory, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
