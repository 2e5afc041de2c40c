package httpapi

import (
	"net/url"
	"strconv"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
)

// requireLedger returns the ledger, or a not_found error without one.
func (a *api) requireLedger() (*ledger.Ledger, error) {
	if a.config.Ledger == nil {
		return nil, giftstats.Errorf(giftstats.CodeNotFound, "no ledger is configured, so nothing is remembered; set GIFTSTATS_LEDGER")
	}
	return a.config.Ledger, nil
}

// accountFor returns the account that a caller asks for. App users get their own, which they may leave out.
func accountFor(self string, values url.Values) (string, error) {
	switch asked := values.Get("account"); {
	case self == "":
		return asked, nil
	case values.Has("account") && asked != self:
		return "", giftstats.Errorf(giftstats.CodeForbidden, "a UserSig gives access only to its own account; leave account out")
	}
	return self, nil
}

const maxLimit = 1000

// limit returns the parameter limit, or its default.
func limit(values url.Values, byDefault int) (int, error) {
	if !values.Has("limit") {
		return byDefault, nil
	}
	n, err := strconv.Atoi(values.Get("limit"))
	if err != nil || n < 1 || n > maxLimit {
		return 0, giftstats.Invalid("limit is %.20q; give a whole number from 1 to %d", values.Get("limit"), maxLimit)
	}
	return n, nil
}

// timeOf returns a parameter that is a time in RFC 3339 or a date in UTC. It is the zero time if the parameter is absent.
func timeOf(values url.Values, name string) (time.Time, error) {
	if !values.Has(name) {
		return time.Time{}, nil
	}
	text := values.Get(name)
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, giftstats.Invalid(
		"%s is %.40q; give a date like 2026-11-23 or a time like 2026-11-23T12:00:00Z, with + encoded as %%2B", name, text)
}
