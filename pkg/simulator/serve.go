package simulator

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator/fault"
)

const (
	pathPrefix = "/v4/live_engine_http_srv/"
	maxBody    = 64 << 10
)

// envelope is what every answer has around its data.
type envelope struct {
	ActionStatus string
	ErrorInfo    string
	ErrorCode    int
	RequestID    string `json:"RequestId"`
	Response     any    `json:",omitempty"`
}

// ServeHTTP answers one call. As documented, the HTTP status is 200 for every outcome.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, pathPrefix)
	if !ok {
		name = r.URL.Path
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		panic(http.ErrAbortHandler) // the caller has gone
	}
	number := e.journal.begin(name, r.URL.RawQuery, text, e.config.Now())
	f, _ := e.faults.Take(name)
	fault.Wait(r.Context(), f.Latency, nil)
	switch {
	case f.Reset:
		reset(w)
	case f.replaces():
		f.send(w, nil)
	default:
		answer := e.answer(r, name, text, f)
		e.journal.end(number, answer.ErrorCode)
		f.send(w, encode(answer))
	}
}

func (e *Engine) answer(r *http.Request, name string, text []byte, f Fault) envelope {
	if f.Code != 0 {
		return e.envelope(nil, &Error{f.Code, f.Info})
	}
	return e.envelope(e.execute(r, name, text))
}

// execute checks a call and carries it out.
func (e *Engine) execute(r *http.Request, name string, text []byte) (any, error) {
	if err := e.admit(r, name, e.config.Now()); err != nil {
		return nil, err
	}
	if len(text) > maxBody {
		return nil, refuse(codeHTTP, "the body has more than %d bytes", maxBody)
	}
	body, err := parseObject("", text)
	if err != nil {
		return nil, refuse(codeJSON, "the body is %v", err)
	}
	return e.commands[name](r, body)
}

// envelope packs data, or a refusal. An error that has no code is about a field of the body.
func (e *Engine) envelope(data any, err error) envelope {
	id := fmt.Sprintf("Id-%016x%016x-O-Seq-%d", rand.Uint64(), rand.Uint64(), e.requests.Add(1))
	if err == nil {
		return envelope{ActionStatus: "OK", RequestID: id, Response: data}
	}
	refusal := &Error{codeParameter, err.Error()}
	errors.As(err, &refusal)
	return envelope{ActionStatus: "FAIL", ErrorCode: refusal.Code, ErrorInfo: refusal.Info, RequestID: id}
}

// admit checks everything of a call but its body.
func (e *Engine) admit(r *http.Request, name string, now time.Time) error {
	if r.Method != http.MethodPost {
		return refuse(codeHTTP, "the method is %s, it must be POST", r.Method)
	}
	if e.commands[name] == nil {
		return refuse(codeCommand, "unknown command %q", name)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse(codeHTTP, "the query cannot be parsed")
	}
	if err := e.checkQuery(query); err != nil {
		return err
	}
	identifier := query.Get("identifier")
	if err := e.verifier.check(query.Get("usersig"), identifier, now); err != nil {
		return err
	}
	if identifier != e.config.Admin {
		return refuse(codeNotAdmin, "%q is not an administrator of the app", identifier)
	}
	return e.limiter.take(name, now)
}

// checkQuery checks the parameters that every call must have, except the content of the signature.
//
// Source: https://tencentcloud.com/zh/document/product/1047/34620
func (e *Engine) checkQuery(query url.Values) error {
	app := query.Get("sdkappid")
	if app == "" {
		return refuse(codeAppMissing, "sdkappid is missing")
	}
	if app != e.appID {
		if n, err := strconv.ParseInt(app, 10, 64); err != nil || strconv.FormatInt(n, 10) != app || n <= 0 {
			return refuse(codeAppInvalid, "sdkappid is not a number above zero")
		}
		return refuse(codeAppUnknown, "unknown app %s", app)
	}
	_, err := strconv.ParseUint(query.Get("random"), 10, 32)
	switch {
	case query.Get("identifier") == "":
		return refuse(codeURL, "identifier is missing")
	case query.Get("contenttype") != "json":
		return refuse(codeURL, "contenttype must be json")
	case err != nil:
		return refuse(codeHTTP, "random must be an unsigned integer of 32 bits")
	case query.Get("usersig") == "":
		return refuse(codeSigMissing, "usersig is missing")
	}
	return nil
}
