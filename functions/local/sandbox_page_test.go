package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
)

// The commands of the page work as printed, one after the other, and their output is that of the page.
func TestSandboxPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	var log syncbuf.Buffer
	sandbox := startSandboxTest(t, nil, &log)
	reader := &reader{t: t, url: sandbox.url(), variables: map[string]string{}}
	commands := 0
	for block := range strings.SplitSeq(string(page), "\n\n") {
		if !strings.HasPrefix(block, "    $ ") {
			continue
		}
		for step := range strings.SplitSeq(strings.TrimPrefix(block, "    $ "), "\n    $ ") {
			command, output, _ := strings.Cut(step, "\n")
			got := reader.do(command)
			if !expected(output).MatchString(got) {
				t.Errorf("$ %s\ngot\n%s\nthe page has\n%s", command, got, output)
			}
			commands++
		}
	}
	if commands < 20 {
		t.Errorf("found only %d commands in the page", commands)
	}
	if !strings.Contains(log.String(), `"msg":"stream.summary"`) {
		t.Errorf("the log has no summary:\n%s", &log)
	}
}

// expected returns what matches the output that the page shows. Three dots stand for anything.
func expected(output string) *regexp.Regexp {
	shown := strings.TrimSpace(strings.ReplaceAll("\n"+output, "\n    ", "\n"))
	return regexp.MustCompile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(shown), `\.\.\.`, `.*`) + `$`)
}

// reader does what a reader of the page does in a terminal. It knows as much of a shell and of curl as the page needs.
type reader struct {
	t         *testing.T
	url       string // of the sandbox, in the place of that in the page
	variables map[string]string
}

var (
	assignment = regexp.MustCompile(`^([A-Z]+)=(.*)$`)
	variable   = regexp.MustCompile(`\$([A-Z]+)`)
	digest     = regexp.MustCompile(`^\$\(printf %s "(.*)" \| sha256sum \| cut -c1-64\)$`)
	word       = regexp.MustCompile(`^ *((?:'[^']*'|"[^"]*"|[^ '"])+)`)
	part       = regexp.MustCompile(`'[^']*'|"[^"]*"|[^'"]+`)
)

// do returns the output of a command.
func (r *reader) do(command string) string {
	r.t.Helper()
	if set := assignment.FindStringSubmatch(command); set != nil {
		r.variables[set[1]] = r.value(set[2])
		return ""
	}
	rest, isCurl := strings.CutPrefix(command, "curl -s ")
	if !isCurl {
		r.t.Fatalf("the page has a command that this test does not know: %s", command)
	}
	var words []string
	for rest != "" {
		next := word.FindStringSubmatch(rest)
		if next == nil {
			r.t.Fatalf("cannot split %q into words", rest)
		}
		words, rest = append(words, r.expand(next[1])), strings.TrimLeft(rest[len(next[0]):], " ")
	}
	return r.curl(words)
}

// value returns what a variable is set to.
func (r *reader) value(text string) string {
	if text == "http://127.0.0.1:8080" {
		return r.url
	}
	if text == "$(date +%s)" {
		return strconv.FormatInt(time.Now().Unix(), 10)
	}
	if of := digest.FindStringSubmatch(text); of != nil {
		sum := sha256.Sum256([]byte(r.expand(of[1])))
		return hex.EncodeToString(sum[:])
	}
	return r.expand(text)
}

// expand removes quotes, and replaces variables but in single quotes.
func (r *reader) expand(text string) string {
	var expanded strings.Builder
	for _, p := range part.FindAllString(text, -1) {
		if p[0] == '\'' {
			expanded.WriteString(strings.Trim(p, "'"))
			continue
		}
		expanded.WriteString(variable.ReplaceAllStringFunc(strings.Trim(p, `"`), func(name string) string {
			value, set := r.variables[name[1:]]
			if !set {
				r.t.Errorf("the variable %s is not set", name)
			}
			return value
		}))
	}
	return expanded.String()
}

// curl sends a request and returns the body of its response.
func (r *reader) curl(words []string) string {
	r.t.Helper()
	method, url, body, header := "", "", "", http.Header{}
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "-H":
			i++
			name, value, _ := strings.Cut(words[i], ": ")
			header.Set(name, value)
		case "-d":
			i++
			method, body = http.MethodPost, words[i]
		case "-X":
			i++
			method = words[i]
		default:
			url = words[i]
		}
	}
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl does
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header = header
	_, answer, err := exchange(request)
	if err != nil {
		r.t.Fatal(fmt.Errorf("%s: %w", strings.Join(words, " "), err))
	}
	return strings.TrimSpace(answer)
}
