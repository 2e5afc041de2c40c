package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/secrettest"
	"github.com/giftstats/giftstats/internal/testkit/syncbuf"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
	"github.com/giftstats/giftstats/pkg/secret"
)

const (
	giftCommand = "Live.CallbackBeforeSendGift"
	liveAck     = `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`
	roseBody    = `{"RoomId":"r","GiftWater":{"From_Account":"carol","To_Account":["alice"],"Time":946684800,"GiftId":"rose",` +
		`"Count":2,"Coins":10}}`
	roseLogged = `"gift":{"id":"…","room_id":"r","sender":"carol","receivers":["alice"],"gift_id":"rose","count":2,"coins":20,` +
		`"at":"2000-01-01T00:00:00Z"}`
)

// brokenStore fails every call in one way.
type brokenStore struct {
	ledger.Store
	fail func(ctx context.Context) error
}

func (s brokenStore) Rooms(ctx context.Context, ids []string) ([]ledger.Room, error) {
	if err := s.fail(ctx); err != nil {
		return nil, err
	}
	return s.Store.Rooms(ctx, ids)
}

func (s brokenStore) AddGift(ctx context.Context, gift ledger.Gift, expires time.Time) error {
	if err := s.fail(ctx); err != nil {
		return err
	}
	return s.Store.AddGift(ctx, gift, expires)
}

var errBroken = errors.New("table not reachable")

func healthy(context.Context) error { return nil }
func failing(context.Context) error { return errBroken }

// hanging ends with its context, as a client of a store does.
func hanging(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// deaf does not heed its context.
func deaf(context.Context) error {
	<-time.After(10 * time.Second)
	return errBroken
}

// hangingSecret is a store of secrets that does not answer in time.
type hangingSecret struct{}

func (hangingSecret) Fetch(ctx context.Context) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// logLine is a line of the log that is about gifts.
type logLine struct {
	Gifts     int             `json:"gifts"`
	GiftsLost int             `json:"gifts_lost"`
	Gift      json.RawMessage `json:"gift"`
	Msg       string          `json:"msg"`
	Code      giftstats.Code  `json:"code"`
}

func giftLines(t *testing.T, log string) []logLine {
	t.Helper()
	var lines []logLine
	for text := range strings.Lines(log) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if line.Gifts > 0 || line.GiftsLost > 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

// A viewer's gift must not fail because of us, and a host must not lose it silently. What a function returns late, Tencent gets late:
// therefore the time is that of the whole call, after which an instance may be frozen.
func TestGiftsAreAcknowledgedInTime(t *testing.T) {
	for _, test := range []struct {
		name   string
		body   string
		store  func(context.Context) error // healthy if nil
		secret store                       // document if nil
		lost   bool
		gift   bool // the line about the loss has the gift in it
		atMost time.Duration
	}{
		{name: "recorded", body: roseBody, atMost: 0},
		{name: "the ledger fails", body: roseBody, store: failing, lost: true, gift: true, atMost: time.Second},
		{name: "the ledger hangs", body: roseBody, store: hanging, lost: true, gift: true, atMost: time.Second},
		{name: "the ledger hangs and does not heed time", body: roseBody, store: deaf, lost: true, gift: true, atMost: time.Second},
		{
			name: "the secret store is down", body: roseBody, lost: true, gift: true, atMost: time.Second,
			secret: func() ([]byte, error) { return nil, errors.New("store is down") },
		},
		{name: "not JSON", body: "not even JSON", lost: true},
		{name: "no gift in it", body: "{}", lost: true},
		{name: "empty body", body: "", lost: true},
		{name: "body that is too large", body: strings.Repeat(" ", 1<<20+1), lost: true},
		{name: "worth more than a number holds", body: strings.Replace(roseBody, `"Count":2`, `"Count":9000000000000000000`, 1), lost: true},
		{name: "negative count", body: strings.Replace(roseBody, `"Count":2`, `"Count":-2`, 1), lost: true},
		{name: "no count", body: strings.Replace(roseBody, `"Count":2,`, ``, 1), lost: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log syncbuf.Buffer
				secrets := test.secret
				if secrets == nil {
					secrets = document
				}
				h := newHandler(t, engine{}, secrets, &log, giftLedger(t, test.store))
				took := acknowledged(t, h, live(giftCommand, test.body))
				if took > test.atMost {
					t.Errorf("the call took %v, want at most %v", took, test.atMost)
				}
				<-time.After(time.Minute) // anything left running ends, and logs nothing more
				wantGiftLine(t, log.String(), test.lost, test.gift)
			})
		})
	}
}

// giftLedger configures a ledger whose store fails in a way.
func giftLedger(t *testing.T, fail func(context.Context) error) func(*httpapi.Config) {
	t.Helper()
	if fail == nil {
		fail = healthy
	}
	l, err := ledger.New(ledger.Config{
		Store: brokenStore{Store: memory.New(time.Now), fail: fail}, Retention: time.Hour, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *httpapi.Config) { c.Ledger = l }
}

// acknowledged sends a webhook and returns how long the call took.
func acknowledged(t *testing.T, h http.Handler, c call) time.Duration {
	t.Helper()
	started := time.Now()
	response := send(h, c)
	took := time.Since(started)
	if response.Code != http.StatusOK || response.Body.String() != liveAck {
		t.Errorf("the answer is %d %s: Tencent may block the gift", response.Code, response.Body)
	}
	return took
}

// wantGiftLine checks that exactly one line counts the gift, and that a lost one is in it.
func wantGiftLine(t *testing.T, log string, lost, gift bool) {
	t.Helper()
	lines := giftLines(t, log)
	if len(lines) != 1 {
		t.Fatalf("%d lines are about the gift, want one: %s", len(lines), log)
	}
	want := logLine{Msg: "request", Gifts: 1}
	if lost {
		want = logLine{Msg: "gift not recorded", GiftsLost: 1, Code: lines[0].Code, Gift: lines[0].Gift}
	}
	if got, wanted := fmt.Sprint(lines[0]), fmt.Sprint(want); got != wanted {
		t.Errorf("the line says %s, want %s", got, wanted)
	}
	if lost && lines[0].Code == "" {
		t.Error("the line has no code")
	}
	if logged := maskID(log); strings.Contains(logged, roseLogged) != gift {
		t.Errorf("the gift is in the log: %v, want %v: %s", !gift, gift, logged)
	}
}

// maskID replaces the random id of a gift.
func maskID(log string) string {
	before, after, found := strings.Cut(log, `"gift":{"id":"`)
	if !found {
		return log
	}
	_, rest, _ := strings.Cut(after, `"`)
	return before + `"gift":{"id":"…"` + rest
}

// A gift waits for a secret that another request is reading, but not for as long as that request.
func TestGiftsDoNotWaitForASecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log syncbuf.Buffer
		h := newHandler(t, engine{}, document, &log, func(c *httpapi.Config) {
			giftLedger(t, nil)(c)
			c.Secrets = secrettest.NewCache(secret.Config{Store: hangingSecret{}})
		})
		go send(h, get(oneAccount))
		synctest.Wait()
		if took := acknowledged(t, h, live(giftCommand, roseBody)); took > time.Second {
			t.Errorf("the call took %v, want at most 1s", took)
		}
		<-time.After(time.Minute) // the other request ends
		wantGiftLine(t, log.String(), true, true)
	})
}

// Two equal gifts in one second are two gifts, although nothing tells them apart; one gift that is stored twice is one.
func TestEqualGiftsCountTwice(t *testing.T) {
	m := newLedger(t)
	h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) { c.Ledger = m.ledger })
	for range 2 {
		acknowledged(t, h, live(giftCommand, roseBody))
	}
	var found []ledger.Gift
	for gift, err := range m.store.Gifts(t.Context(), "r", time.Unix(0, 0), now) {
		m.must(err)
		found = append(found, gift)
	}
	if len(found) != 2 || found[0].ID == found[1].ID {
		t.Fatalf("the gifts are %+v, want two", found)
	}
	for _, gift := range found {
		if gift.Coins != 20 || gift.Sender != "carol" || !slices.Equal(gift.Receivers, []string{"alice"}) {
			t.Errorf("the gift is %+v", gift)
		}
	}
}

// The acknowledgement is for Tencent only: a stranger must not fill the log or the ledger.
func TestGiftsOfStrangersAreRefused(t *testing.T) {
	good := live(giftCommand, roseBody)
	change := func(from, to string) call {
		c := good
		c.target = strings.Replace(good.target, from, to, 1)
		return c
	}
	for _, test := range []struct {
		name string
		call call
		code giftstats.Code
	}{
		{name: "wrong signature", call: change("&Sign=", "&Sign=00"), code: giftstats.CodeUnauthenticated},
		{name: "no signature", call: change("&Sign=", "&Other="), code: giftstats.CodeUnauthenticated},
		{name: "another app", call: change("1400000000", "1"), code: giftstats.CodeForbidden},
		{
			name: "wrong signature and a body that is too large", code: giftstats.CodeUnauthenticated,
			call: call{method: http.MethodPost, target: change("&Sign=", "&Sign=00").target, body: strings.Repeat(" ", 1<<20+1)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log syncbuf.Buffer
			m := newLedger(t)
			h := newHandler(t, engine{}, document, &log, func(c *httpapi.Config) { c.Ledger = m.ledger })
			if got := problemIn(t, send(h, test.call)); got.Code != test.code {
				t.Errorf("the code is %s, want %s", got.Code, test.code)
			}
			if lines := giftLines(t, log.String()); len(lines) != 0 {
				t.Errorf("the log counts gifts: %+v", lines)
			}
			if m.store.rooms.Load() != 0 {
				t.Error("the ledger was asked")
			}
		})
	}
}
