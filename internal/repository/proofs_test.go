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
		named := regexp.MustCompile("`([a-z0-9]+): (Test[A-Za-z0-9]+)`").FindAllStringSubmatch(read(t, page), -1)
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

// Each row of these tables has a proof.
func TestEveryRowNamesATest(t *testing.T) {
	for page, least := range map[string]int{"docs/security.md": 20, "docs/reliability.md": 30} {
		rows := 0
		for table := range strings.SplitSeq(read(t, page), "\n\n") {
			lines := strings.Split(strings.TrimSpace(table), "\n")
			if !strings.HasSuffix(lines[0], "| which test shows it |") {
				continue
			}
			for _, row := range lines[2:] {
				if rows++; !regexp.MustCompile("\\| (`[a-z0-9]+: Test[A-Za-z0-9]+`(, )?)+ \\|$").MatchString(row) {
					t.Errorf("%s: this row names no test: %s", page, row)
				}
			}
		}
		if rows < least {
			t.Errorf("%s has %d rows with a proof, want at least %d: are the tables still there?", page, rows, least)
		}
	}
}

// tests returns the tests of the repository as "package: Test".
func tests(t *testing.T) map[string]bool {
	t.Helper()
	exists := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^(?:package ([a-z0-9]+)|func (Test[A-Za-z0-9]+)\()`)
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
