package httpapi

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/usersig"
)

// authenticate checks the credentials of the request. It returns the account of an app user, who has access to this account
// only, and "" for a caller who has access to all accounts.
func (a *api) authenticate(x *exchange) (account string, err error) {
	if a.config.Auth.Open {
		return "", a.checkPage(x)
	}
	scheme, credentials, err := authorization(x.request)
	if err != nil {
		return "", a.unauthenticated(x, err.Error()+"; use "+a.accepted())
	}
	switch {
	case scheme == "bearer" && a.config.Auth.APIKey:
		return "", a.checkAPIKey(x, credentials)
	case scheme == "basic" && a.config.Auth.UserSig:
		return a.checkUserSig(x, credentials)
	default:
		return "", a.unauthenticated(x, "unsupported authorization scheme; use "+a.accepted())
	}
}

// checkPage refuses a POST request that a page of another origin sent, unless the origin is listed. The gateway in front may know its
// callers by cookies, certificates or addresses, and those a browser adds to the requests of any page. That a page cannot read the
// response does not help if the request itself does something.
func (a *api) checkPage(x *exchange) error {
	if a.pages.Check(x.request) == nil {
		return nil
	}
	return giftstats.Errorf(giftstats.CodeForbidden, "a web page of another origin sent this request; GIFTSTATS_CORS_ORIGINS does not list it")
}

// requireFullAccess accepts only callers who have access to all accounts.
func (a *api) requireFullAccess(x *exchange) error {
	account, err := a.authenticate(x)
	if err == nil && account != "" {
		return giftstats.Errorf(giftstats.CodeForbidden, "a UserSig gives access only to its own account; this call needs an API key")
	}
	return err
}

// authorization splits the Authorization header into scheme, in lower case, and credentials.
func authorization(r *http.Request) (scheme, credentials string, err error) {
	values := r.Header.Values("Authorization")
	switch {
	case len(values) == 0 || values[0] == "":
		return "", "", errors.New("missing credentials")
	case len(values) > 1:
		return "", "", errors.New("more than one Authorization header")
	}
	scheme, credentials, _ = strings.Cut(values[0], " ")
	return strings.ToLower(scheme), strings.TrimSpace(credentials), nil
}

func (a *api) checkAPIKey(x *exchange, key string) error {
	document, err := a.config.Secrets.Get(x.context())
	if err != nil {
		return err
	}
	holder, ok := document.KeyHolder(key)
	if !ok {
		return a.unauthenticated(x, "unknown API key")
	}
	x.caller = holder
	return nil
}

func (a *api) checkUserSig(x *exchange, credentials string) (account string, err error) {
	decoded, err := base64.StdEncoding.DecodeString(credentials)
	colon := strings.LastIndexByte(string(decoded), ':') // an account may contain colons, a UserSig cannot
	if err != nil || colon < 0 {
		return "", a.unauthenticated(x, "the Basic credentials must be account:usersig in base64")
	}
	account, sig := string(decoded[:colon]), string(decoded[colon+1:])
	if giftstats.ValidateAccount(account) != nil {
		return "", a.unauthenticated(x, "the Basic credentials contain an invalid account")
	}
	document, err := a.config.Secrets.Get(x.context())
	if err != nil {
		return "", err
	}
	switch err := usersig.Verify(sig, identity(document, account), a.config.Now()); {
	case errors.Is(err, usersig.ErrExpired):
		return "", a.unauthenticated(x, "the UserSig has expired")
	case err != nil:
		return "", a.unauthenticated(x, "the UserSig is not valid for this account")
	}
	x.account = account
	return account, nil
}

func identity(document *secret.Document, account string) usersig.Identity {
	return usersig.Identity{SDKAppID: document.SDKAppID, Account: account, Key: document.SecretKey.Reveal()}
}

// unauthenticated sets the challenges of RFC 9110, section 11.6.1, and returns an unauthenticated error.
func (a *api) unauthenticated(x *exchange, detail string) error {
	if a.config.Auth.APIKey {
		x.Header().Add("WWW-Authenticate", `Bearer realm="giftstats"`)
	}
	if a.config.Auth.UserSig {
		x.Header().Add("WWW-Authenticate", `Basic realm="giftstats", charset="UTF-8"`)
	}
	return giftstats.Errorf(giftstats.CodeUnauthenticated, "%s", detail)
}

// accepted lists the accepted credentials.
func (a *api) accepted() string {
	var kinds []string
	if a.config.Auth.APIKey {
		kinds = append(kinds, "Bearer with an API key")
	}
	if a.config.Auth.UserSig {
		kinds = append(kinds, "Basic with account:usersig")
	}
	return strings.Join(kinds, " or ")
}
