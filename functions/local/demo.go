package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const (
	demoApp   = 1400000000
	demoAdmin = "administrator"
)

// demo is a simulated app. It is also the secret store of that app: its secrets are generated at start and valid nowhere else.
type demo struct {
	endpoint *url.URL
	engine   *simulator.Engine
	site     *site // of engine
	customer *customer
	key      string // secret key of the simulated app
	apiKey   string

	liveToken   string // signs the simulator's webhooks
	deliveryKey string // signs the summaries that are delivered to the customer
}

func newDemo() (*demo, error) {
	d := &demo{
		key: rand.Text(), apiKey: "demo-" + rand.Text(), liveToken: rand.Text(),
		deliveryKey: "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text())),
	}
	var err error
	if d.engine, err = simulator.New(simulator.Config{
		SDKAppID: demoApp, Admin: demoAdmin, SecretKey: d.key, WebhookTime: webhookTime,
	}); err != nil {
		return nil, err
	}
	if d.customer, err = newCustomer(d.deliveryKey); err != nil {
		return nil, err
	}
	if d.site, err = serve("127.0.0.1:0", d.engine); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.endpoint, err = url.Parse(d.site.url)
	return d, err
}

// webhooks are what docs/stream-end.md tells users to switch on.
var webhooks = append(simulator.Webhooks(), simulator.BeforeCallBackNotBlock)

// sendWebhooks makes the simulator send its webhooks.
func (d *demo) sendWebhooks(to string) error {
	return d.engine.SetWebhook(to, d.liveToken, webhooks...)
}

// Fetch returns the secret document of the simulated app.
func (d *demo) Fetch(context.Context) ([]byte, error) {
	hash := sha256.Sum256([]byte(d.apiKey))
	return json.Marshal(map[string]any{
		"sdk_app_id": demoApp, "admin": demoAdmin, "secret_key": d.key,
		"api_keys": map[string]string{"demo": hex.EncodeToString(hash[:])},
		"webhook":  map[string]string{"live_token": d.liveToken}, "delivery_key": d.deliveryKey,
	})
}

// userSig returns the UserSig that the app of this user would have.
func (d *demo) userSig(account string) (string, error) {
	return usersig.NewSigner(time.Now).Sign(usersig.Identity{SDKAppID: demoApp, Account: account, Key: d.key})
}

func (d *demo) close() error { return errors.Join(d.site.close(), d.customer.site.close()) }
