package jsonbody_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/jsonbody"
)

type gift struct {
	ID    string `json:"id"`
	Count int64  `json:"count"`
}

func TestDecode(t *testing.T) {
	request := httptest.NewRequest("POST", "/", strings.NewReader(`{"id":"rose","count":3}`))
	var decoded gift
	if err := jsonbody.Decode(httptest.NewRecorder(), request, &decoded); err != nil {
		t.Fatal(err)
	}
	if decoded != (gift{ID: "rose", Count: 3}) {
		t.Errorf("decoded %+v", decoded)
	}
}

func TestRefusedBodies(t *testing.T) {
	for _, test := range []struct {
		name, body string
		code       giftstats.Code
		want       string
	}{
		{name: "empty", code: giftstats.CodeInvalidRequest, want: "the body is empty; it must be a JSON object"},
		{name: "incomplete", body: `{"id":`, code: giftstats.CodeInvalidRequest, want: "invalid JSON: unexpected end of the body"},
		{name: "no JSON", body: `{id}`, code: giftstats.CodeInvalidRequest, want: "invalid JSON at byte 2"},
		{name: "two values", body: `{}{}`, code: giftstats.CodeInvalidRequest, want: "the body has data after the JSON object"},
		{
			name: "unknown field", body: `{"ID":"rose"}`, code: giftstats.CodeInvalidRequest,
			want: `unknown field "ID"; use id, count (names are case-sensitive)`,
		},
		{
			name: "repeated", body: `{"id":"a","id":"b"}`, code: giftstats.CodeInvalidRequest,
			want: "the field id appears more than once; give it once",
		},
		{
			name: "null", body: `{"id":null}`, code: giftstats.CodeInvalidRequest,
			want: "id has null in place of a string; leave the field out if it is optional",
		},
		{
			name: "wrong type", body: `{"count":"3"}`, code: giftstats.CodeInvalidRequest,
			want: "count has a JSON string in place of a 64-bit integer",
		},
		{name: "not UTF-8", body: "{\"id\":\"\xff\"}", code: giftstats.CodeInvalidRequest, want: "the body is not valid UTF-8"},
		{
			name: "too large", body: strings.Repeat(" ", jsonbody.MaxBytes+1), code: giftstats.CodePayloadTooLarge,
			want: "the body is larger than 1048576 bytes; split the request",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequest("POST", "/", strings.NewReader(test.body))
			wantError(t, jsonbody.Decode(httptest.NewRecorder(), request, new(gift)), test.code, test.want)
		})
	}
	t.Run("connection lost", func(t *testing.T) {
		request := httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("connection reset")))
		err := jsonbody.Decode(httptest.NewRecorder(), request, new(gift))
		wantError(t, err, giftstats.CodeInvalidRequest, "the body ended early; send the request again")
	})
}

func wantError(t *testing.T, err error, code giftstats.Code, detail string) {
	t.Helper()
	failure := giftstats.AsError(err)
	if failure.Code != code {
		t.Errorf("code %s, want %s", failure.Code, code)
	}
	if failure.Detail != detail {
		t.Errorf("detail %q, want %q", failure.Detail, detail)
	}
}
