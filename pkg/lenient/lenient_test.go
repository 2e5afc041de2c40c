package lenient_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/lenient"
)

func TestInt(t *testing.T) {
	for _, test := range []struct {
		name    string
		json    string
		want    lenient.Int
		isCount bool
		fails   bool
	}{
		{name: "number", json: `7`, want: lenient.Int{Value: 7, Known: true}, isCount: true},
		{name: "string", json: `"7"`, want: lenient.Int{Value: 7, Known: true}, isCount: true},
		{name: "zero", json: `0`, want: lenient.Int{Value: 0, Known: true}, isCount: true},
		{name: "negative", json: `-7`, want: lenient.Int{Value: -7, Known: true}},
		{name: "beyond 2^53", json: `9007199254740993`, want: lenient.Int{Value: 9007199254740993, Known: true}, isCount: true},
		{name: "null", json: `null`},
		{name: "more than 64 bits", json: `9223372036854775808`, fails: true},
		{name: "fraction", json: `1.5`, fails: true},
		{name: "empty string", json: `""`, fails: true},
		{name: "text", json: `"soon"`, fails: true},
		{name: "object", json: `{}`, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got lenient.Int
			if err := json.Unmarshal([]byte(test.json), &got); (err != nil) != test.fails {
				t.Errorf("error %v, want one: %v", err, test.fails)
			}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got.IsCount() != test.isCount {
				t.Errorf("IsCount = %v, want %v", got.IsCount(), test.isCount)
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, test := range []struct {
		name  string
		json  string
		want  lenient.Text
		fails bool
	}{
		{name: "string", json: `"user\u00311"`, want: "user11"},
		{name: "number", json: `144115233775727695`, want: "144115233775727695"},
		{name: "number of 30 digits", json: `123456789012345678901234567890`, want: "123456789012345678901234567890"},
		{name: "negative number", json: `-7`, want: "-7"},
		{name: "null", json: `null`},
		{name: "fraction", json: `1.5`, fails: true},
		{name: "exponent", json: `1e5`, fails: true},
		{name: "boolean", json: `true`, fails: true},
		{name: "array", json: `[]`, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got lenient.Text
			if err := json.Unmarshal([]byte(test.json), &got); (err != nil) != test.fails {
				t.Errorf("error %v, want one: %v", err, test.fails)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func Example() {
	var gift struct {
		RoomID lenient.Text
		Coins  lenient.Int
	}
	err := json.Unmarshal([]byte(`{"RoomID":144115233775727695,"Coins":"30"}`), &gift)
	fmt.Println(gift.RoomID, gift.Coins.Value, err)
	// Output: 144115233775727695 30 <nil>
}

func FuzzText(f *testing.F) {
	f.Add(`"a"`)
	f.Add(`12`)
	f.Fuzz(func(t *testing.T, raw string) {
		var text lenient.Text
		if json.Unmarshal([]byte(raw), &text) != nil || strings.TrimSpace(raw) == "null" {
			return
		}
		var want any
		decoder := json.NewDecoder(strings.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil || fmt.Sprint(want) != string(text) {
			t.Fatalf("%q was read as %q, want %v (%v)", raw, text, want, err)
		}
	})
}

func FuzzInt(f *testing.F) {
	f.Add(`"-12"`)
	f.Add(`9223372036854775807`)
	f.Add(`1e3`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, raw string) {
		var n lenient.Int
		if json.Unmarshal([]byte(raw), &n) != nil || strings.TrimSpace(raw) == "null" {
			return
		}
		want, err := strconv.ParseInt(strings.Trim(raw, "\" \t\r\n"), 10, 64)
		if err != nil || n != (lenient.Int{Value: want, Known: true}) {
			t.Fatalf("%q was read as %+v, want %d (%v)", raw, n, want, err)
		}
	})
}
