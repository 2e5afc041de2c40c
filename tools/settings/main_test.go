package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const right = `"GIFTSTATS_SECRET":"tencentssm://app?version=v1","GIFTSTATS_ENDPOINT":"singapore"`
	for _, test := range []struct {
		name string
		in   string
		want string
	}{
		{name: "right", in: `{"api":{` + right + `}}`, want: "{}\n"},
		{
			name: "one function is wrong", in: `{"api":{` + right + `},"sweep":{` + right + `,"GIFTSTATS_RATE_LIMIT":"fast"}}`,
			want: `{"sweep":["GIFTSTATS_RATE_LIMIT must be a number of calls per second from 0.01 to 100000, like 200"]}` + "\n",
		},
		{
			name: "several mistakes", in: `{"api":{"GIFTSTATS_SECRET":"not-real","GIFTSTATS_ENDPOINT":"singapur","GIFTSTATS_NEW":"1"}}`,
			want: `{"api":["GIFTSTATS_SECRET must have the form tencentssm://NAME?version=v1&region=ap-singapore, ` +
				`awssecretsmanager://NAME-OR-ARN, env://VARIABLE or file:///path",` +
				`"GIFTSTATS_ENDPOINT must be a region (china, frankfurt, jakarta, mumbai, seoul, singapore, usa) or an https:// URL",` +
				`"GIFTSTATS_NEW: unknown setting (misspelled?)"]}` + "\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if err := run(strings.NewReader(test.in), &out); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("got %s, want %s", out.String(), test.want)
			}
		})
	}
	if err := run(strings.NewReader(`{"api":`), &strings.Builder{}); err == nil {
		t.Error("no error for input that ends early")
	}
}
