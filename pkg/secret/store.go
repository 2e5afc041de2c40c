package secret

import "context"

// Store is where the secret is kept.
type Store interface {
	// Fetch reads the secret as it is stored: the JSON document, or a bare key. Its errors name the store and what to
	// change, and hold nothing of the secret.
	Fetch(ctx context.Context) ([]byte, error)
}
