package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

const columns = 80 // of a terminal

// ask sends one request with the API key, and prints it with its response.
func (s *server) ask(ctx context.Context, out io.Writer, path string, want int) error {
	return s.askAs(ctx, out, "Bearer "+s.demo.apiKey, path, want)
}

// askAs is like ask, for a caller with other credentials.
func (s *server) askAs(ctx context.Context, out io.Writer, authorization, path string, want int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", authorization)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  GET %s\n\n  %s\n", path, response.Status)
	if response.StatusCode != want {
		return fmt.Errorf("the answer has status %d, expected %d: %s", response.StatusCode, want, body)
	}
	return printJSON(out, body)
}

// innermost matches an indented object or array that contains no other one.
var innermost = regexp.MustCompile(`(?m)^.*[{\[]\n[^{}\[\]]*\n *[}\]],?$`)

// printJSON prints JSON with indentation. An object or array that contains no other one is printed on one line if it fits.
func printJSON(out io.Writer, text []byte) error {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, bytes.TrimSpace(text), "  ", "  "); err != nil {
		return fmt.Errorf("the answer is not valid JSON: %w", err)
	}
	folded := innermost.ReplaceAllStringFunc("  "+pretty.String(), fold)
	_, err := fmt.Fprintf(out, "%s\n\n", folded)
	return err
}

// fold joins lines if the result fits.
func fold(object string) string {
	lines := strings.Split(object, "\n")
	last := len(lines) - 1
	line := lines[0]
	for i, next := range lines[1:] {
		if i > 0 && i+1 < last {
			line += " "
		}
		line += strings.TrimLeft(next, " ")
	}
	if len(line) > columns {
		return object
	}
	return line
}
