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
	"path"
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
	routes *http.ServeMux
}

// New returns the handler.
func New(config Config) http.Handler {
	a := &api{config: config, routes: http.NewServeMux()}
	a.handle("/v1/gift-stats", methods{http.MethodGet: a.giftStats, http.MethodPost: a.giftStatsBatch})
	a.handle("/v1/room-stats", methods{http.MethodGet: a.roomStats})
	for _, kind := range []webhook.Kind{webhook.Live, webhook.TRTC, webhook.CSS} {
		a.handle("/v1/webhooks/"+kind.Name, methods{http.MethodPost: a.webhook(kind)})
	}
	a.handle("/healthz", methods{http.MethodGet: a.health})
	a.handle("/openapi.json", methods{http.MethodGet: a.openAPI})
	a.routes.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { exchangeOf(r).fail(notFound()) })
	return a
}

// endpoint answers one method of one path. Its error becomes a problem.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// methods are the endpoints of one path; HEAD is answered like GET.
type methods map[string]endpoint

func (a *api) handle(path string, methods methods) {
	a.routes.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r)
		x.route = path
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		endpoint, ok := methods[method]
		if !ok {
			x.fail(methodNotAllowed(w, methods, r.Method))
			return
		}
		if err := endpoint(w, r); err != nil {
			x.fail(err)
		}
	})
}

// ServeHTTP answers one request, whatever happens, and logs one line about it.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := a.begin(w, r)
	defer a.config.Secrets.Settle(x.request.Context())
	defer x.finish()
	inside, ok := stripBase(x.request, a.config.BasePath)
	if !ok || path.Clean(inside.URL.Path) != inside.URL.Path { // the multiplexer would redirect to a cleaner path
		x.fail(notFound())
		return
	}
	a.routes.ServeHTTP(x, inside)
}

// stripBase takes the base path off the request's path. It reports false for a path outside of it.
func stripBase(r *http.Request, base string) (*http.Request, bool) {
	if base == "" {
		return r, true
	}
	rest, found := strings.CutPrefix(r.URL.EscapedPath(), base)
	if !found || !strings.HasPrefix(rest, "/") {
		return nil, false
	}
	inside := r.Clone(r.Context())
	inside.URL.Path, _ = strings.CutPrefix(r.URL.Path, base)
	inside.URL.RawPath = rest
	return inside, true
}

func (a *api) health(w http.ResponseWriter, r *http.Request) error {
	return writeJSON(w, r, http.StatusOK, struct {
		Status  string `json:"status"`
		Version string `json:"version"`
	}{"ok", a.config.Version})
}

func (a *api) openAPI(w http.ResponseWriter, r *http.Request) error {
	return write(w, r, http.StatusOK, "application/json", OpenAPI)
}
