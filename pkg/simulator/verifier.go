package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strconv"
	"sync"
	"time"
)

// verifier checks UserSigs, and shuts the app off when too many are refused.
type verifier struct {
	app    int64
	maxBad int // refused signatures within a minute; negative: no limit

	mu           sync.Mutex
	keys         []string
	bad          window
	shutOffUntil time.Time
}

func newVerifier(config Config) *verifier {
	return &verifier{app: config.SDKAppID, maxBad: config.MaxBadSignatures, keys: []string{config.SecretKey}}
}

func (v *verifier) setKeys(keys []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys = keys
}

// check refuses a signature that is not a valid one of the identifier in the app.
func (v *verifier) check(sig, identifier string, now time.Time) error {
	v.mu.Lock()
	shutOff, keys := now.Before(v.shutOffUntil), v.keys
	v.mu.Unlock()
	if shutOff {
		return refuse(codeShutOff, "UserSig verification failed too often, verify the UserSig and try again in 1 minute")
	}
	err := v.verify(keys, sig, identifier, now)
	if err != nil && v.maxBad >= 0 {
		v.countBad(now)
	}
	return err
}

func (v *verifier) countBad(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bad.add(now, time.Minute) >= v.maxBad {
		v.shutOffUntil = now.Add(time.Minute) // the window of bad signatures is empty by then
	}
}

// verify checks the names in the signature before the MAC: the signature of another app has another key too, and 70014 says
// more than 70009. It reports an expired signature only if the MAC is right.
func (v *verifier) verify(keys []string, sig, identifier string, now time.Time) error {
	t, err := parseTicket(sig)
	switch {
	case err != nil:
		return refuse(codeSigMalformed, "UserSig is malformed: %v", err)
	case t.app != v.app:
		return refuse(codeApp, "SDKAppID does not match the one in the UserSig, which is %d", t.app)
	case t.identifier != identifier:
		return refuse(codeIdentifier, "identifier does not match the one in the UserSig, which is %q", t.identifier)
	case !slices.ContainsFunc(keys, t.signedWith):
		return refuse(codeSigMismatch, "UserSig verification failed, probably it was made with the key of another SDKAppID")
	case now.Unix()-t.time > t.expire:
		return refuse(codeExpired, "UserSig expired at %d", t.time+t.expire)
	}
	return nil
}

func (t ticket) signedWith(key string) bool { return hmac.Equal(t.mac, t.sign(key)) }

// sign returns the MAC that the ticket must have: HMAC-SHA256 over one line for each member.
//
// Source: https://github.com/tencentyun/tls-sig-api-v2-golang
func (t ticket) sign(key string) []byte {
	lines := "TLS.identifier:" + t.identifier +
		"\nTLS.sdkappid:" + strconv.FormatInt(t.app, 10) +
		"\nTLS.time:" + strconv.FormatInt(t.time, 10) +
		"\nTLS.expire:" + strconv.FormatInt(t.expire, 10) + "\n"
	if t.userBuf != "" {
		lines += "TLS.userbuf:" + t.userBuf + "\n"
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(lines))
	return mac.Sum(nil)
}
