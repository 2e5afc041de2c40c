package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

const maxBody = 1 << 20 // bytes of a request's body

// parameters reads the query. Each known parameter may stand in it once, and no other.
func parameters(r *http.Request, known ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, giftstats.Invalid("the query is not escaped as it should be")
	}
	for name, given := range values {
		switch {
		case !slices.Contains(known, name):
			return nil, giftstats.Invalid("the parameter %.40q is not known; this path takes %s", name, strings.Join(known, " and "))
		case len(given) > 1:
			return nil, giftstats.Invalid("the parameter %s stands there %d times; give it once", name, len(given))
		}
	}
	return values, nil
}

// readJSON reads the body into value: one JSON document without unknown fields.
func readJSON(w http.ResponseWriter, r *http.Request, value any) error {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
			return &giftstats.Error{Code: giftstats.CodeUnsupportedMediaType, Detail: "the Content-Type must be application/json, or not be there"}
		}
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if !utf8.Valid(body) {
		return giftstats.Invalid("the body is not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return malformed(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return giftstats.Invalid("the body goes on after the JSON document")
	}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &giftstats.Error{Code: giftstats.CodePayloadTooLarge, Detail: fmt.Sprintf("the body has more than %d bytes", maxBody)}
	case err != nil:
		return nil, &giftstats.Error{Code: giftstats.CodeInvalidRequest, Detail: "the body could not be read to its end", Err: err}
	}
	return body, nil
}

// malformed says in plain words what the decoder found.
func malformed(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	unknown, isUnknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case errors.Is(err, io.EOF):
		return giftstats.Invalid("the body is empty; it must be a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return giftstats.Invalid("the body is no JSON: it ends in the middle")
	case errors.As(err, &syntax):
		return giftstats.Invalid("the body is no JSON: see byte %d", syntax.Offset)
	case errors.As(err, &kind):
		field := kind.Field
		switch {
		case field == "":
			field = "the body"
		case kind.Type.Kind() == reflect.Struct: // the only ones beside the body are entries of an array
			field = "each of " + field
		}
		return giftstats.Invalid("%.60s must be %s, not a JSON %s", field, jsonName(kind.Type.Kind().String()), strings.Fields(kind.Value)[0])
	case isUnknown:
		return giftstats.Invalid("the field %.40s is not known", unknown)
	default:
		return &giftstats.Error{Code: giftstats.CodeInvalidRequest, Detail: "the body is no JSON of the documented form", Err: err}
	}
}

func jsonName(kind string) string {
	switch kind {
	case "struct", "map":
		return "an object"
	case "slice":
		return "an array"
	default:
		return "a " + kind
	}
}
