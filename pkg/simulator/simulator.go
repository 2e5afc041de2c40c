// Package simulator is an embedded live engine: it answers v4/live_engine_http_srv as Tencent's does, from rooms in
// memory, and sends the webhooks of rooms, seats and gifts. It is for the local server, for tests and for benchmarks.
//
// An [Engine] is an http.Handler that takes create_room, destroy_room, get_room_info, get_room_list, get_room_stats,
// get_gift_count and send_gift. Its methods do the same, and make further changes to a room. It checks each call by its own
// reading of the documents and shares no code with the client of this module, so that each finds the mistakes of the other.
// A refusal is an [*Error] with a documented code. [Engine.Misbehave] makes calls fail as an upstream does, and
// [Engine.LoseWebhooks] makes webhooks get lost. The simulator has not been compared with the live service.
//
// Sources: https://tencentcloud.com/zh/document/product/1047/34620 (calls),
// https://www.tencentcloud.com/document/product/1047/34348 (codes), and the pages named at the commands.
package simulator

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator/fault"
)

// Config of an [Engine]. The first three fields are required.
type Config struct {
	SDKAppID  int64
	Admin     string // the account that may call
	SecretKey string

	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Limits are the calls per second by command; a command that is not listed has no limit. Default, if nil:
	// [DocumentedLimits]. An empty map means no limits.
	Limits map[string]int
	// Accounts are the imported accounts, besides Admin. If empty, every account counts as imported.
	Accounts []string
	// Gifts is the catalogue. Default, when nil: [DefaultGifts].
	Gifts []Gift
	// MaxBadSignatures is the number of refused signatures within a minute that shut the app off for a minute. Default, if 0:
	// 10. Negative: never.
	MaxBadSignatures int

	// WebhookURL, WebhookToken and WebhookCommands are the arguments of the first [Engine.SetWebhook].
	WebhookURL      string
	WebhookToken    string
	WebhookCommands []string
	// Transport sends the webhooks. Default: a transport that keeps no connections open.
	Transport http.RoundTripper
	// WebhookTime limits how long a webhook may take. Default, if 0: what Tencent waits, 2 s before a gift and 5 s after an event.
	WebhookTime time.Duration

	// Rand decides where a rule has a Probability. The engine draws from it under a lock of its own. Default: a random seed.
	Rand rand.Source
}

// Engine is one simulated app. It may be used from several goroutines, and needs no closing.
type Engine struct {
	config   Config
	appID    string // SDKAppID as it stands in a query
	accounts map[string]bool
	commands map[string]command
	requests atomic.Int64

	verifier *verifier
	limiter  *limiter
	state    state
	faults   fault.Queue[Fault]
	losses   fault.Queue[struct{}]
	journal  *journal
	webhook  webhook
}

// DocumentedLimits returns the calls per second that the pages of the commands allow. The page of destroy_room names no limit.
func DocumentedLimits() map[string]int {
	return map[string]int{
		"create_room": 200, "get_gift_count": 200, "get_room_info": 200, "get_room_list": 10, "get_room_stats": 100, "send_gift": 200,
	}
}

// DefaultGifts returns the catalogue that is used if Config.Gifts is nil.
func DefaultGifts() []Gift {
	return []Gift{{ID: "rose", Coins: 1}, {ID: "car", Coins: 100}, {ID: "rocket", Coins: 1000}}
}

// Commands returns the names of the calls that an engine answers, in alphabetical order.
func (e *Engine) Commands() []string { return slices.Sorted(maps.Keys(e.commands)) }

// New creates an app without rooms. It returns an error if a required field is missing, or a field is invalid.
func New(config Config) (*Engine, error) {
	if config.SDKAppID <= 0 || config.Admin == "" || config.SecretKey == "" {
		return nil, errors.New("simulator: SDKAppID, Admin and SecretKey are required")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Limits == nil {
		config.Limits = DocumentedLimits()
	}
	if config.Gifts == nil {
		config.Gifts = DefaultGifts()
	}
	if config.MaxBadSignatures == 0 {
		config.MaxBadSignatures = 10
	}
	e := &Engine{config: config, appID: strconv.FormatInt(config.SDKAppID, 10), accounts: map[string]bool{}}
	e.commands = map[string]command{
		"create_room":    e.createRoom,
		"destroy_room":   e.destroyRoom,
		"get_room_info":  e.getRoomInfo,
		"get_room_list":  e.getRoomList,
		"get_room_stats": e.getRoomStats,
		"get_gift_count": e.getGiftCount,
		"send_gift":      e.sendGift,
	}
	e.journal = newJournal(maps.Keys(e.commands))
	e.verifier = newVerifier(config)
	e.faults.Random = chance(config.Rand)
	e.losses.Random = e.faults.Random
	e.state = state{rooms: map[string]*room{}, prices: map[string]int64{}}
	if err := e.configure(config); err != nil {
		return nil, err
	}
	return e, nil
}

// chance returns a function that draws numbers in [0, 1) from a source, and may be called from several goroutines.
func chance(source rand.Source) func() float64 {
	if source == nil {
		return rand.Float64
	}
	var mu sync.Mutex
	random := rand.New(source)
	return func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return random.Float64()
	}
}

// configure does the part of New that can fail.
func (e *Engine) configure(config Config) error {
	for command, limit := range config.Limits {
		if e.commands[command] == nil || limit <= 0 {
			return fmt.Errorf("simulator: Limits: %q has the limit %d: unknown command, or limit not above zero", command, limit)
		}
	}
	e.limiter = newLimiter(config.Limits)
	if len(config.Accounts) > 0 {
		e.accounts[config.Admin] = true
	}
	for _, account := range config.Accounts {
		if err := checkBytes("Accounts", account, maxAccount); err != nil {
			return err
		}
		e.accounts[account] = true
	}
	for _, gift := range config.Gifts {
		if err := e.AddGift(gift); err != nil {
			return err
		}
	}
	return e.SetWebhook(config.WebhookURL, config.WebhookToken, config.WebhookCommands...)
}

// SetSecretKey replaces the app's key. Signatures with other keys are refused from now on, except those in alsoAccepted. A
// shut-off because of bad signatures stays in force.
func (e *Engine) SetSecretKey(key string, alsoAccepted ...string) error {
	keys := append([]string{key}, alsoAccepted...)
	for _, key := range keys {
		if key == "" {
			return errors.New("simulator: a secret key is empty")
		}
	}
	e.verifier.setKeys(keys)
	return nil
}
