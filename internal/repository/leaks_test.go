package repository_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tests of each package that starts goroutines, or has a server for its tests, fail if one is left behind.
func TestPackagesWithGoroutinesLookForLeaks(t *testing.T) {
	starts := regexp.MustCompile(`(?m)^\s*go (func|[a-z][A-Za-z.]*)\(|\.Go\(func|errgroup\.|httptest\.New(TLS|Unstarted)?Server`)
	goroutines, tested, looks := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, folder := range []string{"pkg", "functions", "internal", "tools"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") {
				return err
			}
			text, err := os.ReadFile(path)
			name, _ := filepath.Rel(root, filepath.Dir(path))
			goroutines[name] = goroutines[name] || starts.Match(text)
			tested[name] = tested[name] || strings.HasSuffix(path, "_test.go")
			looks[name] = looks[name] || strings.Contains(string(text), "leaks.Main(m")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	delete(goroutines, filepath.Join("internal", "bench")) // its tests are measurements of whole programs
	checked := 0
	for name := range goroutines {
		if !goroutines[name] || !tested[name] {
			continue
		}
		if checked++; !looks[name] {
			t.Errorf("the tests of %s do not look for goroutines that are left: call leaks.Main", name)
		}
	}
	if checked < 20 {
		t.Errorf("%d packages were checked, want at least 20: does the search still find them?", checked)
	}
}
