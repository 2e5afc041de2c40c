package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestPrintJSON(t *testing.T) {
	long := strings.Repeat("x", 60)
	for _, test := range []struct{ name, give, want string }{
		{name: "short", give: `{"a":1,"b":[]}`, want: "  {\n    \"a\": 1,\n    \"b\": []\n  }\n\n"},
		{
			name: "innermost on one line", give: `{"a":[{"b":1,"c":"d"}]}`,
			want: "  {\n    \"a\": [\n      {\"b\": 1, \"c\": \"d\"}\n    ]\n  }\n\n",
		},
		{
			name: "too long", give: `[{"a":"` + long + `","b":1}]`,
			want: "  [\n    {\n      \"a\": \"" + long + "\",\n      \"b\": 1\n    }\n  ]\n\n",
		},
		{name: "braces in a text", give: `[["{\n","]"]]`, want: "  [\n    [\n      \"{\\n\",\n      \"]\"\n    ]\n  ]\n\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := printJSON(&out, []byte(test.give)); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("printed\n%swant\n%s", &out, test.want)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, out.Bytes()); err != nil || compact.String() != test.give {
				t.Errorf("the printed JSON is %s, %v; want %s", &compact, err, test.give)
			}
		})
	}
	if err := printJSON(&bytes.Buffer{}, []byte("nonsense")); err == nil {
		t.Error("printJSON accepts what is not JSON")
	}
}
