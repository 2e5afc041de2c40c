package repository_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A secret document that lies in the checkout is neither committed nor uploaded. "make e2e" tests the same for sam.
func TestSecretsInTheCheckoutStayThere(t *testing.T) {
	checkout := t.TempDir() // git refuses to work in a checkout that belongs to another user, and a download of a release is none
	if out, err := exec.Command("git", "init", "--quiet", checkout).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(checkout, ".gitignore"), []byte(read(t, ".gitignore")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"secret.json", "create.json", "dist/tencent/secret.json", "docs/secret.json"} {
		command := exec.Command("git", "check-ignore", "--quiet", "--no-index", name)
		command.Dir = checkout
		if err := command.Run(); err != nil {
			t.Errorf("git does not ignore %s: %v", name, err)
		}
	}
	var serverless struct {
		Inputs struct {
			Src struct {
				Src     string
				Include []string
			}
			Functions map[string]struct{ Src any }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "serverless.yml")), &serverless); err != nil {
		t.Fatal(err)
	}
	if src := serverless.Inputs.Src; src.Src != "dist/tencent" || len(src.Include) > 0 {
		t.Errorf("serverless.yml uploads %+v; want dist/tencent, into which only the build writes", src)
	}
	if len(serverless.Inputs.Functions) == 0 {
		t.Error("found no functions in serverless.yml")
	}
	for name, function := range serverless.Inputs.Functions {
		if function.Src != nil {
			t.Errorf("serverless.yml uploads %v for %s too", function.Src, name)
		}
	}
}

// The pages create secret documents outside of the checkout.
func TestPagesKeepSecretsOutOfTheCheckout(t *testing.T) {
	inside := regexp.MustCompile(`(file://|file://\$PWD/|> |>|/dev/null )(secret|create)\.json`)
	pages, err := filepath.Glob(root + "/docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatalf("found %d pages: %v", len(pages), err)
	}
	for _, page := range append(pages, root+"/README.md", root+"/README.zh-CN.md") {
		page, err := filepath.Rel(root, page)
		if err != nil {
			t.Fatal(err)
		}
		directory := ""
		for line := range strings.Lines(read(t, page)) {
			if moved, ok := strings.CutPrefix(line, "    cd "); ok {
				directory = strings.TrimSpace(moved)
			}
			outside := directory == "~/.config/giftstats" || strings.Contains(line, "(cd ~/.config/giftstats && ")
			if strings.HasPrefix(line, "    ") && !outside && inside.MatchString(line) {
				t.Errorf("%s uses a secret document in the checkout: %s", page, line)
			}
		}
	}
}
