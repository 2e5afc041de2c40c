package httpapi

import (
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/jsonbody"
)

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

// readJSON decodes the body into value. A body that says that it is something other than JSON is refused.
func (x *exchange) readJSON(value any) error {
	if contentType := x.request.Header.Get("Content-Type"); contentType != "" {
		if mediaType, _, err := mime.ParseMediaType(contentType); err != nil || mediaType != jsonType {
			return giftstats.Errorf(giftstats.CodeUnsupportedMediaType, "Content-Type must be application/json or absent")
		}
	}
	return jsonbody.Decode(x, x.request, value)
}
