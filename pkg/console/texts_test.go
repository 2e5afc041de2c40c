package console_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryTextIsInBothLanguages(t *testing.T) {
	script := read(t, "page/console.js")
	english, rest, _ := strings.Cut(script, "\n  zh: {")
	chinese, _, _ := strings.Cut(rest, "\n};")
	used := regexp.MustCompile(`(?:data-(?:text|label)="|words\.)(\w+)`).FindAllStringSubmatch(script+read(t, "page/index.html"), -1)
	if len(used) < 80 {
		t.Errorf("%d texts are used; does the expression still match?", len(used))
	}
	for _, match := range used {
		defined := regexp.MustCompile(`[\s{]` + match[1] + `: `)
		if !defined.MatchString(english) {
			t.Errorf("there is no English text %s", match[1])
		}
		if !defined.MatchString(chinese) {
			t.Errorf("there is no Chinese text %s", match[1])
		}
	}
}

// problemTexts returns the sentences for the codes of problems in one language of the script.
func problemTexts(t *testing.T, language string) map[string]string {
	t.Helper()
	_, block, _ := strings.Cut(language, "\n    problems: {\n")
	block, _, found := strings.Cut(block, "\n    },\n")
	if !found {
		t.Fatal("a language has no problems")
	}
	sentences := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^      (\w+): '(.+)',$`).FindAllStringSubmatch(block, -1) {
		sentences[match[1]] = match[2]
	}
	return sentences
}

// Each code of the API has a sentence in both languages, so that nobody has to read the English detail of the server.
func TestEveryErrorCodeIsInBothLanguages(t *testing.T) {
	var document struct {
		Components struct {
			Schemas struct {
				ErrorCode struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../httpapi/openapi.json")), &document); err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(document.Components.Schemas.ErrorCode.Enum))
	english, chinese, _ := strings.Cut(read(t, "page/console.js"), "\n  zh: {")
	for _, test := range []struct {
		language, script string
		letters          *regexp.Regexp
	}{
		{language: "English", script: english, letters: regexp.MustCompile(`^[A-Z][ -~]+\.$`)},
		{language: "Chinese", script: chinese, letters: regexp.MustCompile(`^[\p{Han}A-Z].*\p{Han}.*。$`)},
	} {
		sentences := problemTexts(t, test.script)
		if got := slices.Sorted(maps.Keys(sentences)); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s explains the codes %v, want %v", test.language, got, want)
		}
		for code, sentence := range sentences {
			if !test.letters.MatchString(sentence) {
				t.Errorf("the sentence for %s in %s is %q", code, test.language, sentence)
			}
		}
	}
}
