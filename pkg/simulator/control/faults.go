package control

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// longest is the longest latency. A request to giftstats ends before that.
const longest = time.Minute

// rule says which calls or webhooks go wrong: the first n, or a share.
type rule struct {
	Skip  int      `json:"skip,omitempty"`
	Times *int     `json:"times,omitempty"`
	Share *float64 `json:"share,omitempty"`
}

// selection returns the arguments of [simulator.Fault]: how many, and with which chance.
func (r rule) selection() (times int, probability float64, err error) {
	switch {
	case r.Skip < 0:
		return 0, 0, giftstats.Invalid("skip is %d; it must not be negative", r.Skip)
	case r.Times != nil && *r.Times < 1:
		return 0, 0, giftstats.Invalid("times is %d; it must be 1 or more", *r.Times)
	case r.Share != nil && !(*r.Share > 0 && *r.Share <= 1):
		return 0, 0, giftstats.Invalid("share is %g; it must be above 0 and at most 1", *r.Share)
	}
	if r.Times != nil {
		times = *r.Times
	}
	if r.Share != nil {
		probability = *r.Share
	}
	return times, probability, nil
}

// addFault makes calls of giftstats to the simulated Tencent go wrong.
func (h *Handler) addFault(r request) (int, any, error) {
	var body struct {
		Command   string `json:"command,omitempty"`
		Latency   string `json:"latency,omitempty"`
		ErrorCode int    `json:"error_code,omitempty"`
		ErrorInfo string `json:"error_info,omitempty"`
		Status    int    `json:"status,omitempty"`
		Reset     bool   `json:"reset,omitempty"`
		rule
	}
	if err := r.decode(&body); err != nil {
		return 0, nil, err
	}
	times, probability, err := body.selection()
	if err != nil {
		return 0, nil, err
	}
	latency, err := parseLatency(body.Latency)
	if err != nil {
		return 0, nil, err
	}
	commands := h.config.Engine().Commands()
	switch {
	case body.Command != "" && !slices.Contains(commands, body.Command):
		return 0, nil, giftstats.Invalid("command is %.60q; leave it out for all calls, or use one of %s",
			body.Command, strings.Join(commands, ", "))
	case body.Latency == "" && body.ErrorCode == 0 && body.Status == 0 && !body.Reset:
		return 0, nil, giftstats.Invalid("say what goes wrong: give latency, error_code, status or reset")
	case body.Status != 0 && (body.Status < 200 || body.Status > 599):
		return 0, nil, giftstats.Invalid("status is %d; it must be 200 to 599", body.Status)
	case body.ErrorInfo != "" && body.ErrorCode == 0:
		return 0, nil, giftstats.Invalid("error_info needs error_code")
	}
	h.config.Engine().Misbehave(simulator.Fault{
		Command: body.Command, Skip: body.Skip, Times: times, Probability: probability,
		Latency: latency, Status: body.Status, Code: body.ErrorCode, Info: body.ErrorInfo, Reset: body.Reset,
	})
	return http.StatusCreated, body, nil
}

func parseLatency(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	latency, err := time.ParseDuration(text)
	if err != nil || latency <= 0 || latency > longest {
		return 0, giftstats.Invalid("latency is %.40q; it must be a duration like 500ms or 2s, at most a minute", text)
	}
	return latency, nil
}

// loseWebhooks makes webhooks get lost on their way to giftstats.
func (h *Handler) loseWebhooks(r request) (int, any, error) {
	var body struct {
		Webhook string `json:"webhook,omitempty"`
		rule
	}
	if err := r.decode(&body); err != nil {
		return 0, nil, err
	}
	times, probability, err := body.selection()
	if err != nil {
		return 0, nil, err
	}
	if webhooks := simulator.Webhooks(); body.Webhook != "" && !slices.Contains(webhooks, body.Webhook) {
		return 0, nil, giftstats.Invalid("webhook is %.60q; leave it out for all webhooks, or use one of %s",
			body.Webhook, strings.Join(webhooks, ", "))
	}
	err = h.config.Engine().LoseWebhooks(simulator.WebhookLoss{
		Command: body.Webhook, Skip: body.Skip, Times: times, Probability: probability,
	})
	return http.StatusCreated, body, err
}

// done is the answer to a request that has nothing to show.
func done(what string) (int, any, error) {
	return http.StatusOK, map[string]string{"status": what}, nil
}

func (h *Handler) heal(request) (int, any, error) {
	h.config.Engine().Heal()
	return done("healthy")
}

func (h *Handler) sweepNow(r request) (int, any, error) {
	if err := h.config.Sweep(r.Context()); err != nil {
		return 0, nil, err
	}
	return done("swept")
}

// resetAll is not shared: everything else waits for it.
func (h *Handler) resetAll(request) (int, any, error) {
	h.reset.Lock()
	defer h.reset.Unlock()
	if err := h.config.Reset(); err != nil {
		return 0, nil, err
	}
	return done("reset")
}

// userSig signs for an account. The answer also has the header with which the account calls giftstats.
func (h *Handler) userSig(r request) (int, any, error) {
	var body struct {
		Account string `json:"account"`
	}
	if err := r.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := giftstats.ValidateAccount(body.Account); err != nil {
		return 0, nil, err
	}
	sig, err := h.config.UserSig(body.Account)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, map[string]string{
		"account": body.Account, "usersig": sig,
		"authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(body.Account+":"+sig)),
	}, nil
}
