package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/strict"
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

// readJSON decodes the body into value. The body must be one JSON object without unknown and repeated fields, and without null for a
// field that is no pointer.
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
	if err := strict.Decode(body, value, strict.NoNull()); err != nil {
		return invalidJSON(err)
	}
	return nil
}

func (x *exchange) readBody() ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(x, x.request.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, giftstats.Errorf(giftstats.CodePayloadTooLarge, "the body is larger than %d bytes; split the request", maxBody)
	case err != nil:
		return nil, &giftstats.Error{Code: giftstats.CodeInvalidRequest, Detail: "the body ended early; send the request again", Err: err}
	}
	return body, nil
}
