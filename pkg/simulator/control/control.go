// Package control is an HTTP API over a simulated live engine, for developers who test against it: rooms, gifts, seats and ends on request,
// and faults. It is for the sandbox, and nothing of the product links it.
//
// A request has at most one JSON object as its body, whose Content-Type does not matter. The answer is JSON. A failure is a problem, as
// package problem describes it.
package control

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/jsonbody"
	"github.com/giftstats/giftstats/pkg/problem"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// Prefix is the beginning of every path.
const Prefix = "/sandbox/"

// Config of a [Handler]. All fields are required.
type Config struct {
	// Engine returns the engine, which Reset may replace.
	Engine func() *simulator.Engine
	// Sweep makes giftstats sweep.
	Sweep func(context.Context) error
	// UserSig signs for an account of the app.
	UserSig func(account string) (string, error)
	// Reset forgets everything. The handler serves no other request during the call.
	Reset func() error
}

// Handler answers the requests.
type Handler struct {
	config Config
	routes *http.ServeMux
	reset  sync.RWMutex // locked for a reset, and for reading by everything else
}

// New returns a handler.
func New(config Config) (*Handler, error) {
	if config.Engine == nil || config.Sweep == nil || config.UserSig == nil || config.Reset == nil {
		return nil, errors.New("control: Engine, Sweep, UserSig and Reset are required")
	}
	h := &Handler{config: config, routes: http.NewServeMux()}
	for pattern, do := range map[string]endpoint{
		"GET rooms":                              h.listRooms,
		"POST rooms":                             h.createRoom,
		"GET rooms/{room_id}":                    h.showRoom,
		"DELETE rooms/{room_id}":                 h.endRoom,
		"POST rooms/{room_id}/gifts":             h.sendGift,
		"POST rooms/{room_id}/likes":             h.like,
		"POST rooms/{room_id}/viewers":           h.enter,
		"POST rooms/{room_id}/messages":          h.sendMessage,
		"POST rooms/{room_id}/owner":             h.changeOwner,
		"POST rooms/{room_id}/seats":             h.takeSeat,
		"DELETE rooms/{room_id}/seats/{account}": h.leaveSeat,
		"POST faults":                            h.addFault,
		"POST lost-webhooks":                     h.loseWebhooks,
		"DELETE faults":                          h.heal,
		"POST usersigs":                          h.userSig,
		"POST sweep":                             h.sweepNow,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		h.routes.Handle(method+" "+Prefix+path, h.shared(do))
	}
	h.routes.Handle("POST "+Prefix+"reset", endpoint(h.resetAll))
	h.routes.Handle("/", endpoint(h.unknown))
	return h, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.routes.ServeHTTP(w, r) }

// Sweep sweeps, unless a reset is under way: then it waits for its end.
func (h *Handler) Sweep(ctx context.Context) error {
	h.reset.RLock()
	defer h.reset.RUnlock()
	return h.config.Sweep(ctx)
}

// request is what an endpoint reads from.
type request struct {
	*http.Request
	w http.ResponseWriter
}

// decode decodes the body.
func (r request) decode(value any) error { return jsonbody.Decode(r.w, r.Request, value) }

// endpoint answers one method of one path with a status and a value, or with an error, which becomes a problem.
type endpoint func(r request) (status int, answer any, err error)

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, answer, err := e(request{r, w})
	if err == nil {
		write(w, status, "application/json", answer)
		return
	}
	details := problem.Of(explain(err), rand.Text())
	write(w, details.Status, problem.ContentType, details)
}

// shared lets an endpoint run together with others, but not during a reset.
func (h *Handler) shared(do endpoint) endpoint {
	return func(r request) (int, any, error) {
		h.reset.RLock()
		defer h.reset.RUnlock()
		return do(r)
	}
}

// write sends indented JSON: people read it in a terminal.
func write(w http.ResponseWriter, status int, contentType string, value any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	encoder.Encode(value) // an error means that the caller has closed the connection
}

// unknown answers a path that does not exist, or not with this method.
func (h *Handler) unknown(r request) (int, any, error) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := h.routes.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return 0, nil, giftstats.Errorf(giftstats.CodeNotFound, "unknown path; docs/sandbox.md lists the paths under %s", Prefix)
	}
	r.w.Header().Set("Allow", strings.Join(allowed, ", "))
	return 0, nil, giftstats.Errorf(giftstats.CodeMethodNotAllowed,
		"method %.16q is not allowed; use %s", r.Method, strings.Join(allowed, " or "))
}

// ours are the names that the fields of Tencent have here.
var ours = strings.NewReplacer("RoomId", "room_id", "RoomName", "name", "Owner_Account", "owner", "GiftId", "gift_id", "Count", "count",
	"From_Account", "sender", "ReceiverList_Account", "receivers")

// explain turns a refusal of the engine into an error with a code.
func explain(err error) error {
	var refusal *simulator.Error
	if !errors.As(err, &refusal) {
		return err
	}
	const roomUnknown = 100004
	failure := &giftstats.Error{
		Code: giftstats.CodeInvalidRequest, Detail: ours.Replace(refusal.Info),
		Upstream: &giftstats.Upstream{ErrorCode: refusal.Code, ErrorInfo: refusal.Info},
	}
	if refusal.Code == roomUnknown {
		failure.Code = giftstats.CodeRoomNotFound
		failure.Detail = "the room does not exist, or has ended; create it with POST " + Prefix + "rooms"
	}
	return failure
}

// required returns an error that names the first field without a value. Fields alternate with their values.
func required(fields ...string) error {
	for pair := range slices.Chunk(fields, 2) {
		if pair[1] == "" {
			return giftstats.Invalid("%s is missing or empty", pair[0])
		}
	}
	return nil
}
