// Command notices writes the licenses of everything that programs link into one file, as these licenses require of anyone who distributes
// binaries.
//
//	notices FILE PACKAGE...
//
// The programs are those for linux/amd64, with the build tags of the Makefile. A license that several modules share is written once. The
// result depends only on the modules and on Go itself, so that it is the same on every machine. A module without a license is an error. If
// a package of this module embeds the code of others, like a script for browsers, that code is in a folder named after it, with its
// license.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: notices FILE PACKAGE...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(file string, packages []string) error {
	linked, err := list(packages)
	if err != nil {
		return err
	}
	directories, err := directoriesOf(linked)
	if err != nil {
		return err
	}
	texts, err := read(directories)
	if err != nil {
		return err
	}
	return os.WriteFile(file, format(texts), 0o644)
}

// linkedPackage is the part of go list's answer that is needed.
type linkedPackage struct {
	Dir      string
	Standard bool
	Module   *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// list returns everything that the packages link.
func list(packages []string) ([]linkedPackage, error) {
	command := exec.Command("go", append([]string{"list", "-tags=lambda.norpc", "-deps", "-json=Dir,Standard,Module"}, packages...)...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var linked []linkedPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var one linkedPackage
		switch err := decoder.Decode(&one); {
		case errors.Is(err, io.EOF):
			return linked, nil
		case err != nil:
			return nil, fmt.Errorf("read the answer of go list: %w", err)
		}
		linked = append(linked, one)
	}
}

// directoriesOf returns, by module and version, the directories of the linked packages and those above them within their module: part of
// a module may have a license of its own.
func directoriesOf(linked []linkedPackage) (map[string][]string, error) {
	root, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	goroot, version, _ := strings.Cut(strings.TrimSpace(string(root)), "\n")
	directories := map[string][]string{"the Go standard library " + version: {goroot}}
	for _, p := range linked {
		if p.Standard || p.Module == nil {
			continue
		}
		if p.Module.Main {
			if err := addEmbedded(directories, p.Dir); err != nil {
				return nil, err
			}
			continue
		}
		name := p.Module.Path + " " + p.Module.Version
		for dir := p.Dir; len(dir) >= len(p.Module.Dir); dir = filepath.Dir(dir) {
			if !slices.Contains(directories[name], dir) {
				directories[name] = append(directories[name], dir)
			}
		}
	}
	return directories, nil
}

// addEmbedded adds the folders of a package that have a license of their own.
func addEmbedded(directories map[string][]string, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		folder := filepath.Join(dir, entry.Name())
		files, err := licensesIn(folder)
		if err != nil {
			return err
		}
		if len(files) > 0 {
			directories[strings.Replace(entry.Name(), "-", " ", 1)] = []string{folder}
		}
	}
	return nil
}

// licenses are the names of files that must accompany a binary.
var licenses = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// read returns the modules by the text of the licenses that they have.
func read(directories map[string][]string) (map[string][]string, error) {
	texts := map[string][]string{}
	for _, module := range slices.Sorted(maps.Keys(directories)) {
		found := false
		for _, dir := range directories[module] {
			files, err := licensesIn(dir)
			if err != nil {
				return nil, err
			}
			for _, text := range files {
				found = true
				if !slices.Contains(texts[text], module) {
					texts[text] = append(texts[text], module)
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("%s has no file with its license; do not link it, or ask its authors", module)
		}
	}
	return texts, nil
}

func licensesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, entry := range entries {
		if entry.IsDir() || !licenses.MatchString(entry.Name()) || filepath.Ext(entry.Name()) == ".go" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.TrimSpace(strings.ReplaceAll(string(raw), "\r\n", "\n")))
	}
	return texts, nil
}

// format returns the texts in the order of the modules that they belong to.
func format(texts map[string][]string) []byte {
	type notice struct{ modules, text string }
	var notices []notice
	for text, modules := range texts {
		notices = append(notices, notice{strings.Join(modules, "\n"), text})
	}
	slices.SortFunc(notices, func(a, b notice) int { return strings.Compare(a.modules+a.text, b.modules+b.text) })
	var out bytes.Buffer
	out.WriteString("giftstats contains the software below, under these licenses.\n")
	for _, n := range notices {
		fmt.Fprintf(&out, "\n%s\n\n%s\n\n%s\n", strings.Repeat("=", 80), n.modules, n.text)
	}
	return out.Bytes()
}
