package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const (
	demoApp   = 1400000000
	demoAdmin = "administrator"
	demoRoom  = "friday-show"
	demoHost  = "alice"
	demoGuest = "bob"
	endedRoom = "monday-show" // another room of the host, which the story dissolves
)

// demo is a simulated app with a show. It is also the secret store of that app: its secrets are generated at start and valid
// nowhere else.
type demo struct {
	endpoint *url.URL
	engine   *simulator.Engine
	http     *http.Server
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
	if d.customer, err = newCustomer(d.deliveryKey); err != nil {
		return nil, err
	}
	if d.engine, err = simulator.New(simulator.Config{SDKAppID: demoApp, Admin: demoAdmin, SecretKey: d.key}); err != nil {
		return nil, err
	}
	if err := d.play(); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d.endpoint = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	d.http = &http.Server{Handler: d.engine, ReadHeaderTimeout: 10 * time.Second}
	go d.http.Serve(listener)
	return d, nil
}

// play adds a show to the simulator: a host, a guest, and viewers with gifts for both.
func (d *demo) play() error {
	err := d.engine.CreateRoom(simulator.RoomInfo{RoomID: demoRoom, RoomName: "The Friday Show", Owner: demoHost})
	for _, viewer := range []string{demoHost, demoGuest, "carol", "dave", "erin", "frank", "dave"} {
		err = errors.Join(err, d.engine.EnterRoom(demoRoom, viewer), d.engine.Like(demoRoom, viewer, 40), d.engine.SendMessage(demoRoom, viewer))
	}
	for _, sent := range []simulator.SentGift{
		{GiftID: "rose", Count: 99, Sender: "carol", Receivers: []string{demoHost}},
		{GiftID: "car", Count: 3, Sender: "dave", Receivers: []string{demoHost, demoGuest}},
		{GiftID: "rocket", Count: 1, Sender: "erin", Receivers: []string{demoHost}},
		{GiftID: "rose", Count: 10, Sender: "dave", Receivers: []string{demoHost}},
	} {
		sent.RoomID = demoRoom
		err = errors.Join(err, d.engine.SendGift(sent))
	}
	return errors.Join(err,
		d.engine.CreateRoom(simulator.RoomInfo{RoomID: endedRoom, RoomName: "The Monday Show", Owner: demoHost}),
		d.engine.EnterRoom(endedRoom, demoHost), d.engine.EnterRoom(endedRoom, "carol"),
		d.engine.SendGift(simulator.SentGift{RoomID: endedRoom, GiftID: "car", Count: 2, Sender: "carol", Receivers: []string{demoHost}}),
	)
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

func (d *demo) close() error { return errors.Join(d.http.Close(), d.customer.close()) }
