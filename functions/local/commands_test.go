package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The address that is printed is that of the page, below the base path, and the key is there to paste.
func TestPageIsPrinted(t *testing.T) {
	server := startTest(t, []string{"GIFTSTATS_BASE_PATH=/prod"}, io.Discard)
	var out bytes.Buffer
	server.printPage(&out)
	address := server.url() + "/#/now?room_id=" + saturdayShow
	if !strings.Contains(out.String(), address+"\n") || !strings.Contains(out.String(), server.demo.apiKey+"\n") {
		t.Errorf("output = %s, want %s and the key in it", &out, address)
	}
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/html; charset=utf-8" {
		t.Errorf("%s: status %s, Content-Type %s; want 200 and a page", address, response.Status, got)
	}
}

func TestPageOfTheRealAppIsPrinted(t *testing.T) {
	environ, _ := realApp(t)
	server := startTest(t, environ, io.Discard)
	var out bytes.Buffer
	if err := server.printCommands(&out); err != nil {
		t.Fatal(err)
	}
	if want := "asks for an API key:\n\n  " + server.url() + "/\n"; !strings.Contains(out.String(), want) {
		t.Errorf("output = %s, want %q in it", &out, want)
	}
}

func TestPageThatIsOffIsNotPrinted(t *testing.T) {
	server := startTest(t, []string{"GIFTSTATS_CONSOLE=false"}, io.Discard)
	var out bytes.Buffer
	server.printPage(&out)
	if out.Len() != 0 {
		t.Errorf("output = %s, want none", &out)
	}
	response, err := http.Get(server.url() + "/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("status %s, want 404", response.Status)
	}
}
