package main

import (
	"io"
	"net/http"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// customer is a small endpoint for summaries, like the one that a user of giftstats runs. It accepts only summaries that are
// signed with the shared key.
type customer struct {
	site     *site
	verifier *standardwebhooks.Webhook
	received chan delivery
}

// delivery is a summary that the customer has verified.
type delivery struct {
	id   string // the header webhook-id
	body []byte
}

func newCustomer(key string) (*customer, error) {
	verifier, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		return nil, err
	}
	c := &customer{verifier: verifier, received: make(chan delivery, 1)}
	c.site, err = serve("127.0.0.1:0", http.HandlerFunc(c.receive))
	return c, err
}

// receive takes a summary, or refuses it with status 401.
func (c *customer) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = c.verifier.Verify(body, r.Header)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	select {
	case c.received <- delivery{r.Header.Get(standardwebhooks.HeaderWebhookID), body}:
	default: // the story no longer waits for summaries
	}
}
