// Package httpapi is the HTTP API as one http.Handler: routes, authentication, JSON, problems.
//
// A cloud entry point translates its event to a request for this handler, and the response back to an answer. The local server
// runs the same handler. The id of a request is that of its header X-Request-Id, which a gateway in front must set itself.
package httpapi

import (
	_ "embed"
	"fmt"
	"net/http"
	"strings"

	"github.com/giftstats/giftstats/pkg/console"
	"github.com/giftstats/giftstats/pkg/webhook"
)

// OpenAPI is the OpenAPI 3.1 document of the API.
//
//go:embed openapi.json
var OpenAPI []byte

const webhookPaths = "/v1/webhooks/" // the beginning of their paths

// api answers requests.
type api struct {
	config Config
	routes map[string]methods // by path
	pages  *http.CrossOriginProtection
}

// New returns the handler. Its error names every field of config that is missing or invalid.
func New(config Config) (http.Handler, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	a := &api{config: config, pages: http.NewCrossOriginProtection()}
	for _, origin := range config.CORSOrigins {
		if err := a.pages.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("httpapi: an entry of Config.CORSOrigins: %w", err)
		}
	}
	a.routes = map[string]methods{
		"/v1/gift-stats":  {http.MethodGet: a.giftStats, http.MethodPost: a.giftStatsBatch},
		"/v1/room-stats":  {http.MethodGet: a.roomStats},
		"/v1/streams":     {http.MethodGet: a.streams},
		"/v1/top-senders": {http.MethodGet: a.topSenders},
		"/v1/stream-ends": {http.MethodPost: a.streamEnd},
		"/healthz":        {http.MethodGet: a.health},
		"/openapi.json":   {http.MethodGet: a.openAPI},
	}
	for _, kind := range []webhook.Kind{webhook.Live, webhook.TRTC, webhook.CSS} {
		a.routes[webhookPaths+kind.Name] = methods{http.MethodPost: a.webhook(kind)}
	}
	if config.Console {
		for _, file := range console.Files() {
			a.routes[file.Path] = methods{http.MethodGet: func(x *exchange) error {
				file.ServeHTTP(x, x.request)
				return nil
			}}
		}
	}
	return a, nil
}

// endpoint answers one method of one path. If it returns an error, it has written nothing, and the error becomes a problem.
type endpoint func(x *exchange) error

// methods are the endpoints of one path. HEAD is answered like GET.
type methods map[string]endpoint

// ServeHTTP answers one request and logs one line about it, even if the endpoint panics.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := a.newExchange(w, r)
	defer x.cancel()
	defer func() { a.config.Secrets.WaitIdle(x.context()) }()
	defer x.finish()
	if err := a.serve(x); err != nil {
		x.fail(err)
	}
}

// serve calls the endpoint of the request. It compares paths in their escaped form, and does not clean them: a path that only
// becomes a documented one by unescaping or cleaning, like /v1/../healthz, is unknown.
func (a *api) serve(x *exchange) error {
	path, hasBase := strings.CutPrefix(x.request.URL.EscapedPath(), a.config.BasePath)
	methods, known := a.routes[path]
	allowed := a.allowOrigin(x, path)
	if !hasBase || !known {
		return unknownPath()
	}
	x.route = path
	if allowed && x.isPreflight() {
		x.answerPreflight(methods)
		return nil
	}
	method := x.request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	endpoint, ok := methods[method]
	if !ok {
		return x.methodNotAllowed(methods)
	}
	return endpoint(x)
}

func (a *api) health(x *exchange) error {
	return x.writeJSON(http.StatusOK, struct {
		Status  string `json:"status"`
		Version string `json:"version"`
	}{"ok", a.config.Version})
}

func (a *api) openAPI(x *exchange) error {
	x.write(http.StatusOK, jsonType, OpenAPI)
	return nil
}
