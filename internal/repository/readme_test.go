package repository_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var (
	structure = regexp.MustCompile(`(?m)` + strings.Join([]string{
		`^#+ `,                           // a heading
		`^    [ -~]+$`,                   // a line of code or output, unless it has words to translate
		"^\\| `[^`|]+`",                  // the first cell of a row that begins with a name
		`\]\([^)]*\.md(#[^)]*)?\)`,       // a link to another page
		`\bhttps://[^)\s]+`,              // a link to another site
		"`(GIFTSTATS_|/v1/|make )[^`]*`", // a setting, path or command
	}, "|"))
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Both READMEs have the same headings, code, tables and links in the same order.
func TestReadmesHaveTheSameStructure(t *testing.T) {
	outline := func(file string) []string {
		_, sections, _ := strings.Cut(read(t, file), "\n## ") // the picture above the first section has words to translate
		found := structure.FindAllString(sections, -1)
		return slices.DeleteFunc(found, func(s string) bool { return strings.Contains(s, "README.") }) // each names the other one
	}
	english, chinese := outline("README.md"), outline("README.zh-CN.md")
	if len(english) < 50 {
		t.Fatalf("found only %d parts in README.md; does the expression still match?", len(english))
	}
	for i := range min(len(english), len(chinese)) {
		if english[i] != chinese[i] {
			t.Fatalf("part %d is %q in README.md, but %q in README.zh-CN.md", i+1, english[i], chinese[i])
		}
	}
	if len(english) != len(chinese) {
		t.Errorf("README.md has %d parts, README.zh-CN.md has %d", len(english), len(chinese))
	}
}

// The front page stays short; reference pages are in docs/.
func TestReadmeIsShort(t *testing.T) {
	const most = 150
	for _, file := range []string{"README.md", "README.zh-CN.md"} {
		if lines := strings.Count(read(t, file), "\n"); lines > most {
			t.Errorf("%s has %d lines; want at most %d", file, lines, most)
		}
	}
}

func TestLinksBetweenPages(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	if len(pages) < 10 {
		t.Fatalf("found only %d pages", len(pages))
	}
	for _, page := range pages {
		page, err := filepath.Rel(root, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range link.FindAllStringSubmatch(read(t, page), -1) {
			checkLink(t, page, target[1])
		}
	}
}

// checkLink reports a link to a file or heading that does not exist. Links to other sites are not followed.
func checkLink(t *testing.T, page, target string) {
	t.Helper()
	if strings.Contains(target, "://") {
		return
	}
	file, anchor, _ := strings.Cut(target, "#")
	linked := page
	if file != "" {
		linked = filepath.Join(filepath.Dir(page), file)
	}
	if _, err := os.Stat(filepath.Join(root, linked)); err != nil {
		t.Errorf("%s links to %s, which does not exist", page, target)
		return
	}
	if anchor != "" && !slices.Contains(anchors(read(t, linked)), anchor) {
		t.Errorf("%s links to %s, but %s has no such heading", page, target, linked)
	}
}

// anchors returns the anchors that GitHub derives from the headings of a page.
func anchors(text string) []string {
	var found []string
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		plain := inAnchor.ReplaceAllString(strings.ToLower(match[1]), "")
		found = append(found, strings.ReplaceAll(plain, " ", "-"))
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
