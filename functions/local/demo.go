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
	endedRoom = "monday-show" // a room of the same host, for the story to dissolve
)

// demo is a simulated app with a show in it. It is the secret store of that app, too: all its secrets are made up at start
// and worth nothing anywhere else.
type demo struct {
	endpoint *url.URL
	engine   *simulator.Engine
	http     *http.Server
	customer *customer
	key      string // of the simulated app
	apiKey   string

	liveToken   string // signs the simulator's webhooks
	deliveryKey string // signs what is delivered to the customer
}

func newDemo() (*demo, error) {
	d := &demo{key: rand.Text(), apiKey: "demo-" + rand.Text(), liveToken: rand.Text(), deliveryKey: "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text()))}
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

// play fills the simulator with a show: a host, a guest, viewers and their gifts for both.
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

// Fetch gives the secret document of the simulated app.
func (d *demo) Fetch(context.Context) ([]byte, error) {
	hash := sha256.Sum256([]byte(d.apiKey))
	return json.Marshal(map[string]any{
		"sdk_app_id": demoApp, "admin": demoAdmin, "secret_key": d.key,
		"api_keys": map[string]string{"demo": hex.EncodeToString(hash[:])},
		"webhook":  map[string]string{"live_token": d.liveToken}, "delivery_key": d.deliveryKey,
	})
}

// userSig is what the app of a user of the show would hold.
func (d *demo) userSig(account string) (string, error) {
	return usersig.NewSigner(time.Now).Sign(usersig.Identity{SDKAppID: demoApp, Account: account, Key: d.key})
}

func (d *demo) close() error { return errors.Join(d.http.Close(), d.customer.close()) }
