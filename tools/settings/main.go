// Command settings checks settings before they are deployed to Tencent SCF, with the parser that the functions use.
//
// It reads the environments of functions from standard input, {"FUNCTION":{"VARIABLE":"value"}}, and writes what is wrong with each to
// standard output: {"FUNCTION":["GIFTSTATS_ENDPOINT must be …"]}. A function whose settings are right is left out. No text repeats a
// value. The exit status is 1 only if the input cannot be read.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/giftstats/giftstats/pkg/settings"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "settings:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var functions map[string]map[string]string
	if err := json.NewDecoder(in).Decode(&functions); err != nil {
		return err
	}
	wrong := map[string][]string{}
	for function, variables := range functions {
		if mistakes := check(variables); len(mistakes) > 0 {
			wrong[function] = mistakes
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(wrong)
}

func check(variables map[string]string) []string {
	environ := make([]string, 0, len(variables))
	for name, value := range variables {
		environ = append(environ, name+"="+value)
	}
	_, err := settings.Parse(environ, settings.Tencent)
	if err == nil {
		return nil
	}
	_, mistakes, _ := strings.Cut(err.Error(), "\n") // the first line is a heading
	return strings.Split(mistakes, "\n")
}
