package secret

import "context"

// Store is where the secret is stored.
type Store interface {
	// Fetch returns the stored secret: the JSON document, or the bare secret key. Its errors name the store and what to change, and
	// contain nothing of the secret.
	Fetch(ctx context.Context) ([]byte, error)
}
