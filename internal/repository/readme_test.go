package repository_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	heading   = regexp.MustCompile(`(?m)^#+ `)
	firstCell = regexp.MustCompile("(?m)^\\| (`[^|]*) \\|")
	code      = regexp.MustCompile("`[^`]+`")
	link      = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
)

// Both READMEs have the same sections in the same order, and the same settings, codes, packages and dependencies in their tables.
func TestReadmesHaveTheSameStructure(t *testing.T) {
	outline := func(file string) []string {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		found := heading.FindAllString(string(text), -1)
		for _, row := range firstCell.FindAllStringSubmatch(string(text), -1) {
			found = append(found, code.FindAllString(row[1], -1)...)
		}
		return found
	}
	english, chinese := outline("README.md"), outline("README.zh-CN.md")
	if len(english) < 80 {
		t.Fatalf("only %d headings and names were found", len(english))
	}
	if !slices.Equal(english, chinese) {
		for i := range min(len(english), len(chinese)) {
			if english[i] != chinese[i] {
				t.Fatalf("%q in the English one is %q in the Chinese one", english[i], chinese[i])
			}
		}
		t.Errorf("%d headings and names in the English one, %d in the Chinese one", len(english), len(chinese))
	}
}

func TestLinksBetweenPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md", "../../README.zh-CN.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(target[1], "http") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target[1])
			}
		}
	}
}
