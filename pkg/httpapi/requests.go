package httpapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
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

const maxBody = 1 << 20 // of a request, in bytes

// parameters parses the query string. It refuses unknown parameters, and known ones that appear more than once.
func (x *exchange) parameters(known ...string) (url.Values, error) {
	values, err := url.ParseQuery(x.request.URL.RawQuery)
	if err != nil {
		return nil, giftstats.Invalid("invalid query string; percent-encode the values of parameters")
	}
	for name, given := range values {
		switch {
		case len(known) == 0:
			return nil, giftstats.Invalid("unknown parameter %.40q; this call has no parameters", name)
		case !slices.Contains(known, name):
			return nil, giftstats.Invalid("unknown parameter %.40q; use %s", name, strings.Join(known, ", "))
		case len(given) > 1:
			return nil, giftstats.Invalid("parameter %s appears %d times; give it once", name, len(given))
		}
	}
	return values, nil
}

// readJSON decodes the body into value. The body must be one JSON object without unknown fields.
func (x *exchange) readJSON(value any) error {
	if contentType := x.request.Header.Get("Content-Type"); contentType != "" {
		if mediaType, _, err := mime.ParseMediaType(contentType); err != nil || mediaType != jsonType {
			return giftstats.Errorf(giftstats.CodeUnsupportedMediaType, "Content-Type must be application/json or absent")
		}
	}
	body, err := x.readBody()
	if err != nil {
		return err
	}
	if !utf8.Valid(body) {
		return giftstats.Invalid("the body is not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return invalidJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return giftstats.Invalid("the body has data after the JSON object")
	}
	return nil
}

func (x *exchange) readBody() ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(x, x.request.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, giftstats.Errorf(giftstats.CodePayloadTooLarge, "the body is larger than %d bytes", maxBody)
	case err != nil:
		return nil, &giftstats.Error{Code: giftstats.CodeInvalidRequest, Detail: "the body ended early; send the request again", Err: err}
	}
	return body, nil
}

// invalidJSON returns an invalid_request error that explains an error of the JSON decoder to the caller.
func invalidJSON(err error) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	unknown, isUnknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case errors.Is(err, io.EOF):
		return giftstats.Invalid("the body is empty; it must be a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return giftstats.Invalid("invalid JSON: unexpected end of the body")
	case errors.As(err, &syntax):
		return giftstats.Invalid("invalid JSON at byte %d", syntax.Offset)
	case errors.As(err, &mismatch):
		return wrongType(mismatch)
	case isUnknown:
		return giftstats.Invalid("unknown field %.40s", unknown)
	default:
		return &giftstats.Error{Code: giftstats.CodeInvalidRequest, Detail: "the body is not as /openapi.json describes it", Err: err}
	}
}

func wrongType(mismatch *json.UnmarshalTypeError) error {
	field := cmp.Or(mismatch.Field, "the body")
	given, _, _ := strings.Cut(mismatch.Value, " ") // for numbers, the value follows
	return giftstats.Invalid("%.60s has a JSON %s in place of %s", field, given, jsonName(mismatch.Type.Kind()))
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
