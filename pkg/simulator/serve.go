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

// ServeHTTP answers one call. As documented, the HTTP status is 200 whatever the outcome is.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, pathPrefix)
	if !ok {
		name = r.URL.Path
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		panic(http.ErrAbortHandler) // the caller has gone, there is nobody to answer
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
	return e.envelope(e.carryOut(r, name, text))
}

// carryOut checks a call and does what it asks.
func (e *Engine) carryOut(r *http.Request, name string, text []byte) (any, error) {
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

// admit checks all of a call but its body.
func (e *Engine) admit(r *http.Request, name string, now time.Time) error {
	if r.Method != http.MethodPost {
		return refuse(codeHTTP, "the method is %s, it must be POST", r.Method)
	}
	if e.commands[name] == nil {
		return refuse(codeCommand, "there is no command %q", name)
	}
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse(codeHTTP, "the query cannot be parsed")
	}
	if err := e.checkQuery(q); err != nil {
		return err
	}
	if err := e.verifier.check(q.usersig, q.identifier, now); err != nil {
		return err
	}
	if q.identifier != e.config.Admin {
		return refuse(codeNotAdmin, "%q is no administrator of the app", q.identifier)
	}
	return e.limiter.take(name, now)
}

// query holds the parameters that every call must have.
//
// Source: https://tencentcloud.com/zh/document/product/1047/34620
type query struct{ sdkappid, identifier, usersig, random, contenttype string }

// parseQuery reads what url.ParseQuery and Get would, without a map.
func parseQuery(raw string) (query, error) {
	var q query
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || strings.Contains(pair, ";") {
			return q, errors.New("not a query")
		}
		if into := q.field(name); into != nil && *into == "" {
			*into = value
		}
	}
	return q, nil
}

func (q *query) field(name string) *string {
	switch name {
	case "sdkappid":
		return &q.sdkappid
	case "identifier":
		return &q.identifier
	case "usersig":
		return &q.usersig
	case "random":
		return &q.random
	case "contenttype":
		return &q.contenttype
	}
	return nil
}

func (e *Engine) checkQuery(q query) error {
	if q.sdkappid == "" {
		return refuse(codeAppMissing, "sdkappid is missing")
	}
	if q.sdkappid != e.appID {
		if app, err := strconv.ParseInt(q.sdkappid, 10, 64); err != nil || strconv.FormatInt(app, 10) != q.sdkappid || app <= 0 {
			return refuse(codeAppInvalid, "sdkappid is not a number above zero")
		}
		return refuse(codeAppUnknown, "there is no app %s here", q.sdkappid)
	}
	_, err := strconv.ParseUint(q.random, 10, 32)
	switch {
	case q.identifier == "":
		return refuse(codeURL, "identifier is missing")
	case q.contenttype != "json":
		return refuse(codeURL, "contenttype must be json")
	case err != nil:
		return refuse(codeHTTP, "random must be an unsigned integer of 32 bits")
	case q.usersig == "":
		return refuse(codeSigMissing, "usersig is missing")
	}
	return nil
}
