package repository_test

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tables of threats and of faults name the test that shows what stops each of them. A test that was renamed or removed would leave a
// promise without proof.
func TestPagesNameTestsThatExist(t *testing.T) {
	exists := tests(t)
	for _, page := range []string{"docs/security.md", "docs/reliability.md"} {
		named := regexp.MustCompile("`([a-z]+): (Test[A-Za-z0-9]+)`").FindAllStringSubmatch(read(t, page), -1)
		if len(named) < 20 {
			t.Errorf("%s names %d tests; are the tables still there?", page, len(named))
		}
		for _, match := range named {
			if name := match[1] + ": " + match[2]; !exists[name] {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
	}
}

// tests returns the tests of the repository as "package: Test".
func tests(t *testing.T) map[string]bool {
	t.Helper()
	exists := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^(?:package ([a-z]+)|func (Test[A-Za-z0-9]+)\()`)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		in := ""
		for _, match := range declared.FindAllStringSubmatch(string(text), -1) {
			in = cmp.Or(match[1], in)
			exists[in+": "+match[2]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return exists
}
