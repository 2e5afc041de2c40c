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

// authenticate finds out who asks. The account is set for an app user, who may ask for its own numbers only, and empty for
// whoever may ask for everything.
func (a *api) authenticate(x *exchange, r *http.Request) (account string, err error) {
	if a.config.Auth == (Auth{}) {
		return "", nil
	}
	scheme, credentials, err := authorization(r)
	if err != nil {
		return "", a.unauthenticated(x, err.Error()+"; use "+a.accepted())
	}
	switch {
	case scheme == "bearer" && a.config.Auth.APIKey:
		return "", a.checkAPIKey(x, r, credentials)
	case scheme == "basic" && a.config.Auth.UserSig:
		return a.checkUserSig(x, r, credentials)
	default:
		return "", a.unauthenticated(x, "this kind of Authorization is not accepted here; use "+a.accepted())
	}
}

// authorization splits the Authorization header.
func authorization(r *http.Request) (scheme, credentials string, err error) {
	values := r.Header.Values("Authorization")
	switch {
	case len(values) == 0 || values[0] == "":
		return "", "", errors.New("credentials are missing")
	case len(values) > 1:
		return "", "", errors.New("there is more than one Authorization header")
	}
	scheme, credentials, _ = strings.Cut(values[0], " ")
	return strings.ToLower(scheme), strings.TrimSpace(credentials), nil
}

func (a *api) checkAPIKey(x *exchange, r *http.Request, key string) error {
	document, err := a.config.Secrets.Get(r.Context())
	if err != nil {
		return err
	}
	holder, ok := document.KeyHolder(key)
	if !ok {
		return a.unauthenticated(x, "the api key is not known")
	}
	x.caller = holder
	return nil
}

func (a *api) checkUserSig(x *exchange, r *http.Request, credentials string) (account string, err error) {
	decoded, err := base64.StdEncoding.DecodeString(credentials)
	colon := strings.LastIndexByte(string(decoded), ':') // an account may hold a colon, a UserSig none
	if err != nil || colon < 0 {
		return "", a.unauthenticated(x, "the Basic credentials are not base64 of account:usersig")
	}
	account, sig := string(decoded[:colon]), string(decoded[colon+1:])
	if giftstats.ValidateAccount(account) != nil {
		return "", a.unauthenticated(x, "the Basic credentials hold no valid account")
	}
	document, err := a.config.Secrets.Get(r.Context())
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

// unauthenticated is a 401 with the challenges of RFC 9110, section 11.6.1.
func (a *api) unauthenticated(x *exchange, detail string) error {
	if a.config.Auth.APIKey {
		x.Header().Add("WWW-Authenticate", `Bearer realm="giftstats"`)
	}
	if a.config.Auth.UserSig {
		x.Header().Add("WWW-Authenticate", `Basic realm="giftstats", charset="UTF-8"`)
	}
	return &giftstats.Error{Code: giftstats.CodeUnauthenticated, Detail: detail}
}

func (a *api) accepted() string {
	var kinds []string
	if a.config.Auth.APIKey {
		kinds = append(kinds, "Bearer with an api key")
	}
	if a.config.Auth.UserSig {
		kinds = append(kinds, "Basic with account:usersig")
	}
	return strings.Join(kinds, " or ")
}

func forbidden(detail string) error {
	return &giftstats.Error{Code: giftstats.CodeForbidden, Detail: detail}
}
