// Package httpapi is the product as an http.Handler: routes, authentication, JSON, problems.
//
// A cloud entry point translates its event to a request for this handler and the answer back; the local server runs the very
// same handler. The request id is taken from the header X-Request-Id, which a gateway in front must set itself.
package httpapi

import (
	"context"
	_ "embed"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/telemetry"
	"github.com/giftstats/giftstats/pkg/webhook"
)

// OpenAPI is the OpenAPI 3.1 document of the API.
//
//go:embed openapi.json
var OpenAPI []byte

// Config of the handler. All fields but BasePath and CSSEndsStream are required.
type Config struct {
	Service  *giftstats.Service
	Secrets  *secret.Cache // api keys, and the key that callers' UserSigs are checked with
	Auth     Auth
	BasePath string // prefix to strip, like /prod
	Version  string // of the program, for /healthz
	Meter    *telemetry.Meter
	Now      func() time.Time
	Logger   *slog.Logger

	// StreamEnded takes the ends of streams that verified webhooks tell of: onto a queue, or to be processed at once. Its
	// nil is a promise that the end is not lost.
	StreamEnded   func(context.Context, streamend.Event) error
	CSSEndsStream bool // an interrupted push of CSS is the end of a stream
}

// Auth is which credentials are accepted. With none, everybody is let in: the gateway in front has checked them.
type Auth struct{ APIKey, UserSig bool }

// api answers requests.
type api struct {
	config Config
	routes map[string]methods // by path
}

// New returns the handler.
func New(config Config) http.Handler {
	a := &api{config: config}
	a.routes = map[string]methods{
		"/v1/gift-stats": {http.MethodGet: a.giftStats, http.MethodPost: a.giftStatsBatch},
		"/v1/room-stats": {http.MethodGet: a.roomStats},
		"/healthz":       {http.MethodGet: a.health},
		"/openapi.json":  {http.MethodGet: a.openAPI},
	}
	for _, kind := range []webhook.Kind{webhook.Live, webhook.TRTC, webhook.CSS} {
		a.routes["/v1/webhooks/"+kind.Name] = methods{http.MethodPost: a.webhook(kind)}
	}
	return a
}

// endpoint answers one method of one path. Its error becomes a problem.
type endpoint func(x *exchange, r *http.Request) error

// methods are the endpoints of one path; HEAD is answered like GET.
type methods map[string]endpoint

// ServeHTTP answers one request, whatever happens, and logs one line about it.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := a.begin(w, r)
	defer a.config.Secrets.Settle(x.request.Context())
	defer x.finish()
	if err := a.answer(x, x.request); err != nil {
		x.fail(err)
	}
}

// answer finds the endpoint for the request and has it answer. A path must be as it is documented: one that another spelling,
// like %2F or .., would turn into it is not found.
func (a *api) answer(x *exchange, r *http.Request) error {
	path, inside := strings.CutPrefix(r.URL.EscapedPath(), a.config.BasePath)
	methods, found := a.routes[path]
	if !inside || !found {
		return notFound()
	}
	x.route = path
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	endpoint, ok := methods[method]
	if !ok {
		return methodNotAllowed(x, methods, r.Method)
	}
	return endpoint(x, r)
}

func (a *api) health(x *exchange, r *http.Request) error {
	return writeJSON(x, r, http.StatusOK, struct {
		Status  string `json:"status"`
		Version string `json:"version"`
	}{"ok", a.config.Version})
}

func (a *api) openAPI(x *exchange, r *http.Request) error {
	return write(x, r, http.StatusOK, "application/json", OpenAPI)
}
