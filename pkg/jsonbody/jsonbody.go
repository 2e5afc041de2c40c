// Package jsonbody reads the bodies of requests: one JSON object, decoded strictly. Its errors have a code for the caller and say what is
// wrong, and where.
package jsonbody

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/strict"
)

// MaxBytes is the largest body that is read.
const MaxBytes = 1 << 20

// Decode decodes the body of a request into value. The body must be one JSON object without unknown or repeated fields, and without null
// for a field that is not a pointer.
func Decode(w http.ResponseWriter, r *http.Request, value any) error {
	body, err := Read(w, r)
	if err != nil {
		return err
	}
	if !utf8.Valid(body) {
		return giftstats.Invalid("the body is not valid UTF-8")
	}
	if err := strict.Decode(body, value, strict.NoNull()); err != nil {
		return invalidJSON(err)
	}
	return nil
}

// Read reads the body of a request as it is.
func Read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, giftstats.Errorf(giftstats.CodePayloadTooLarge, "the body is larger than %d bytes; split the request", MaxBytes)
	case err != nil:
		return nil, &giftstats.Error{Code: giftstats.CodeInvalidRequest, Detail: "the body ended early; send the request again", Err: err}
	}
	return body, nil
}

// invalidJSON returns an invalid_request error that explains an error of the JSON decoder to the caller.
func invalidJSON(err error) error {
	var wrong *strict.Error
	if !errors.As(err, &wrong) {
		return &giftstats.Error{Code: giftstats.CodeInvalidRequest, Detail: "the body is not the JSON object that this call takes", Err: err}
	}
	switch wrong.Fault {
	case strict.Empty:
		return giftstats.Invalid("the body is empty; it must be a JSON object")
	case strict.Incomplete:
		return giftstats.Invalid("invalid JSON: unexpected end of the body")
	case strict.Malformed:
		return giftstats.Invalid("invalid JSON at byte %d", wrong.Offset+1)
	case strict.Trailing:
		return giftstats.Invalid("the body has data after the JSON object")
	case strict.Unknown:
		return giftstats.Invalid("unknown field %.60q; use %s (names are case-sensitive)", wrong.Path, strings.Join(wrong.Allowed(), ", "))
	case strict.Repeated:
		return giftstats.Invalid("the field %.60s appears more than once; give it once", wrong.Path)
	}
	return wrongType(wrong)
}

func wrongType(wrong *strict.Error) error {
	field, want := cmp.Or(wrong.Path, "the body"), jsonName(wrong.Want.Kind())
	if wrong.Given == "null" {
		return giftstats.Invalid("%.60s has null in place of %s; leave the field out if it is optional", field, want)
	}
	return giftstats.Invalid("%.60s has a JSON %s in place of %s", field, wrong.Given, want)
}

// jsonName returns what JSON calls values of kind.
func jsonName(kind reflect.Kind) string {
	switch kind {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "an array"
	case reflect.Int64:
		return "a 64-bit integer"
	default:
		return "a " + kind.String()
	}
}
