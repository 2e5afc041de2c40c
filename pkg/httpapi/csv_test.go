package httpapi_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// asCSV calls target with an Accept header for CSV.
func asCSV(target string) call { return get(target).withHeader("Accept", "text/csv") }

func TestStreamsAsCSV(t *testing.T) {
	m := shows(t)
	m.end("=1+1", now.Add(-2*time.Hour).Add(500*time.Millisecond), earned("=1+1", `@a,"b"`, 1, 9_007_199_254_740_993))
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	response := send(h, asCSV("/v1/streams"))
	want, err := os.ReadFile(filepath.Join("testdata", "streams.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Body.String(); got != string(want) {
		t.Errorf("the CSV is\n%s\nwant\n%s", got, want)
	}
	if got := response.Header().Get("Content-Type"); got != "text/csv; charset=utf-8; header=present" {
		t.Errorf("Content-Type is %q", got)
	}
	openAPI(t).check(t, get("/v1/streams").request(), response)
}

func TestRowsOfOneAccount(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, withLedger(shows(t)))
	own := asCSV("/v1/streams")
	own.header["Authorization"] = as(t, "alice")
	for _, test := range []struct {
		name string
		call call
		want []string // room and account of each row
	}{
		{name: "all accounts", call: asCSV("/v1/streams"), want: []string{"one/alice", "one/bob", "two/bob", "two/alice"}},
		{name: "one account", call: asCSV("/v1/streams?account=bob"), want: []string{"one/bob", "two/bob"}},
		{name: "app user", call: own, want: []string{"one/alice", "two/alice"}},
		{name: "no stream", call: asCSV("/v1/streams?room_id=live")},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows, err := csv.NewReader(send(h, test.call).Body).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if rows[0][0] != "room_id" || len(rows[0]) != 10 {
				t.Errorf("the header is %q", rows[0])
			}
			var got []string
			for _, row := range rows[1:] {
				got = append(got, row[0]+"/"+row[1])
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("rows are %q, want %q", got, test.want)
			}
		})
	}
}

func TestCSVPages(t *testing.T) {
	m := newLedger(t)
	for i := range 7 {
		room := fmt.Sprint("room", i)
		m.end(room, now.Add(-time.Duration(i)*time.Hour), earned(room, "alice", 1, 10))
	}
	h := newHandler(t, engine{}, document, io.Discard, withLedger(m))
	var rooms []string
	for target := "/v1/streams?limit=3"; target != ""; {
		response := send(h, asCSV(target))
		rows, err := csv.NewReader(response.Body).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			rooms = append(rooms, row[0])
		}
		target = nextTarget(t, response.Header().Get("Link"))
	}
	if got, want := strings.Join(rooms, " "), "room0 room1 room2 room3 room4 room5 room6"; got != want {
		t.Errorf("rooms are %s, want %s", got, want)
	}
}

func TestFormulasInCSV(t *testing.T) {
	for _, test := range []struct{ name, account, want string }{
		{name: "equals sign", account: "=cmd|'/c calc'!A0", want: "'=cmd|'/c calc'!A0"},
		{name: "plus", account: "+8613711112222", want: "'+8613711112222"},
		{name: "minus", account: "-2+3", want: "'-2+3"},
		{name: "at sign", account: "@SUM(1)", want: "'@SUM(1)"},
		{name: "apostrophe", account: "'quoted", want: "'quoted"},
		{name: "inside", account: "a=1", want: "a=1"},
		{name: "after a semicolon", account: "a;=1+1", want: "a;'=1+1"},
		{name: "after a semicolon and a quote", account: `a;"@SUM(1)`, want: `a;'"@SUM(1)`},
		{name: "several", account: "=1;-1;b", want: "'=1;'-1;b"},
		{name: "after a space", account: " =1", want: "' =1"},
		{name: "full width", account: "＝1", want: "'＝1"},
		{name: "semicolon alone", account: "a;b", want: "a;b"},
		{name: "quotes and comma", account: `a"b",c`, want: `a"b",c`},
		{name: "Chinese", account: "主播", want: "主播"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newLedger(t)
			m.end("r", now.Add(-time.Hour), earned("r", test.account, 1, 10))
			response := send(newHandler(t, engine{}, document, io.Discard, withLedger(m)), asCSV("/v1/streams"))
			rows, err := csv.NewReader(response.Body).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if got := rows[1][1]; got != test.want {
				t.Errorf("the cell is %q, want %q", got, test.want)
			}
		})
	}
}

func TestCSVOnlyIfAcceptPrefersIt(t *testing.T) {
	h := newHandler(t, engine{}, document, io.Discard, withLedger(shows(t)))
	for _, test := range []struct {
		name, accept string
		isCSV        bool
	}{
		{name: "absent"},
		{name: "anything", accept: "*/*"},
		{name: "CSV", accept: "text/csv", isCSV: true},
		{name: "upper case", accept: "TEXT/CSV", isCSV: true},
		{name: "with parameters", accept: "text/csv; charset=utf-8; header=present", isCSV: true},
		{name: "any text", accept: "text/*", isCSV: true},
		{name: "CSV before anything", accept: "text/csv, */*;q=0.1", isCSV: true},
		{name: "CSV is the only one, with a weight", accept: "text/csv;q=0.2", isCSV: true},
		{name: "both", accept: "text/csv, application/json"},
		{name: "JSON has the higher weight", accept: "text/csv;q=0.8, application/json;q=0.9"},
		{name: "CSV has the higher weight", accept: "application/json;q=0.8,text/csv;q=0.9", isCSV: true},
		{name: "CSV excluded", accept: "*/*, text/csv;q=0"},
		{name: "JSON excluded", accept: "*/*, application/json;q=0", isCSV: true},
		{name: "the most specific range counts", accept: "text/*;q=1, text/csv;q=0.1, application/*;q=0.5"},
		{name: "something else", accept: "image/png"},
		{name: "browser", accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
		{name: "malformed element", accept: ";;;, text/csv", isCSV: true},
		{name: "malformed weight", accept: "text/csv;q=high"},
		{name: "weight out of range", accept: "text/csv;q=7"},
		{name: "weight NaN", accept: "text/csv;q=NaN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := send(h, get("/v1/streams").withHeader("Accept", test.accept))
			if isCSV := strings.HasPrefix(response.Header().Get("Content-Type"), "text/csv"); isCSV != test.isCSV {
				t.Errorf("Content-Type is %q", response.Header().Get("Content-Type"))
			}
			if got := response.Header().Get("Vary"); got != "Accept" {
				t.Errorf("Vary is %q", got)
			}
		})
	}
}
