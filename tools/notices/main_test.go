package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The notices contain the license of everything in the binaries, and are the same for everyone who builds them.
func TestNoticesCoverWhatIsLinked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notices")
	var results [][]byte
	for range 2 {
		if err := run(file, []string{"../../functions/aws/api", "../../functions/tencent/streamend"}); err != nil {
			t.Fatal(err)
		}
		result, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, result)
	}
	if !bytes.Equal(results[0], results[1]) {
		t.Error("two runs differ")
	}
	for _, want := range []string{
		"the Go standard library go1.", "github.com/aws/aws-lambda-go v", "github.com/aws/smithy-go v", "github.com/tencentyun/scf-go-lib v",
		"github.com/tencentyun/tls-sig-api-v2-golang v", "\nuPlot 1.6.32\n", "Leon Sorokin",
		"Apache License", "Permission is hereby granted, free of charge",
	} {
		if !bytes.Contains(results[0], []byte(want)) {
			t.Errorf("the file lacks %q", want)
		}
	}
	if bytes.Contains(results[0], []byte("github.com/giftstats")) {
		t.Error("the file lists giftstats itself")
	}
	if root, err := filepath.Abs("../.."); err != nil || bytes.Contains(results[0], []byte(root)) {
		t.Errorf("the file has a path of this machine: %v", err)
	}
}

func TestModuleWithoutALicenseIsAnError(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name+" text\r\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("license.go")
	write("licenses_test.txt")
	if _, err := read(map[string][]string{"example.com/m v1": {dir}}); err == nil || !strings.Contains(err.Error(), "example.com/m v1") {
		t.Errorf("error %v, want one that names the module", err)
	}
	for _, name := range []string{"LICENSE", "License.txt", "LICENCE", "COPYING", "NOTICE", "PATENTS", "LICENSE-MIT"} {
		write(name)
	}
	texts, err := read(map[string][]string{"example.com/m v1": {dir}, "example.com/n v2": {dir}})
	if err != nil || len(texts) != 7 {
		t.Fatalf("%d texts, %v; want 7", len(texts), err)
	}
	want := "\n" + strings.Repeat("=", 80) + "\n\nexample.com/m v1\nexample.com/n v2\n\nNOTICE text\n"
	if got := string(format(texts)); !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s in it", got, want)
	}
}
