package webhook

import (
	"encoding/json"
	"errors"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// readBody decodes a body into the fields of a webhook.
func readBody(body []byte, fields any) error {
	if err := json.Unmarshal(body, fields); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return giftstats.Invalid("the webhook's body is no JSON: see byte %d", syntax.Offset)
		}
		return giftstats.Invalid("a field of the webhook's body has another type than documented")
	}
	return nil
}
