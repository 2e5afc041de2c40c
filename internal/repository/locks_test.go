package repository_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A package that somebody replaced in a registry must not be installed by a deployment, by its guide, or by "make e2e".
func TestPackagesAreLockedByHash(t *testing.T) {
	for _, pattern := range []string{"tools/*/package-lock.json", "e2e/*/package-lock.json"} {
		for _, path := range matching(t, pattern) {
			var lock struct {
				Packages map[string]struct {
					Version, Integrity string
					Link               bool
				}
			}
			if err := json.Unmarshal([]byte(read(t, path)), &lock); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if len(lock.Packages) < 10 {
				t.Errorf("%s has %d packages; is it still a lock file?", path, len(lock.Packages))
			}
			for name, locked := range lock.Packages {
				if name != "" && !locked.Link && !strings.HasPrefix(locked.Integrity, "sha512-") {
					t.Errorf("%s: %s %s has no sha512 hash", path, name, locked.Version)
				}
			}
		}
	}
	for _, path := range slices.Concat(matching(t, "e2e/requirements*.txt"), matching(t, "tools/*/requirements*.txt")) {
		for requirement := range strings.SplitSeq(strings.ReplaceAll(read(t, path), "\\\n", " "), "\n") {
			requirement = strings.TrimSpace(requirement)
			if requirement == "" || strings.HasPrefix(requirement, "#") {
				continue
			}
			if !regexp.MustCompile(`^[A-Za-z0-9._\[\]-]+==\S+( ;.*)? +--hash=sha256:`).MatchString(requirement) {
				t.Errorf("%s: this requirement has no version with a hash: %.80s", path, requirement)
			}
		}
	}
}

// Locks are of use only if each installation refuses what they do not have.
func TestInstallationsObeyTheLocks(t *testing.T) {
	installs := 0
	for _, path := range []string{"Makefile", "e2e/e2e.mk", "docs/deploy-tencent.md"} {
		text := strings.ReplaceAll(read(t, path), "$(locked)", "--require-hashes --no-deps")
		for line := range strings.SplitSeq(text, "\n") {
			if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "    ") {
				continue
			}
			if strings.Contains(line, "pip install") {
				if installs++; !strings.Contains(line, "--require-hashes") {
					t.Errorf("%s: pip must require hashes: %s", path, line)
				}
			}
			if regexp.MustCompile(`\bnpm (ci|i|install|add|exec)\b`).MatchString(line) {
				if installs++; !strings.Contains(line, "npm ci ") || !strings.Contains(line, "--ignore-scripts") {
					t.Errorf("%s: npm must install what is locked, without scripts: %s", path, line)
				}
			}
			if regexp.MustCompile(`\bnpx\b`).MatchString(line) {
				t.Errorf("%s: npx installs what is not locked: %s", path, line)
			}
		}
	}
	if installs < 3 {
		t.Errorf("%d installations were found, want at least 3", installs)
	}
	if !strings.Contains(read(t, "e2e/e2e.mk"), "locked := --quiet --disable-pip-version-check --no-deps --require-hashes ") {
		t.Error("$(locked) of e2e/e2e.mk does not require hashes")
	}
}

// matching returns the paths of the files that match a pattern, of which there must be one.
func matching(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	var paths []string
	for _, path := range found {
		relative, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, relative)
	}
	return paths
}
