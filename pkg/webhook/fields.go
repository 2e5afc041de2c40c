package webhook

import (
	"encoding/json"
	"errors"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// readBody decodes the body of a webhook. Its errors do not quote the body.
func readBody(body []byte, fields any) error {
	if err := json.Unmarshal(body, fields); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return giftstats.Invalid("invalid JSON at byte %d of the webhook's body", syntax.Offset)
		}
		return giftstats.Invalid("a field of the webhook's body has the wrong type")
	}
	return nil
}
