package main

import (
	"io"
	"net"
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// customer is a small endpoint for summaries, like the one that a user of giftstats runs. It accepts only summaries that are
// signed with the shared key.
type customer struct {
	url      string
	http     *http.Server
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
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &customer{url: "http://" + listener.Addr().String() + "/summaries", received: make(chan delivery, 16)}
	c.http = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		select {
		case c.received <- delivery{r.Header.Get(standardwebhooks.HeaderWebhookID), body}:
		default: // the story no longer waits for summaries
		}
	})}
	go c.http.Serve(listener)
	return c, nil
}

func (c *customer) close() error { return c.http.Close() }
