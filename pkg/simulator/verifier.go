package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maxSeen bounds the signatures that are remembered as good.
const maxSeen = 1000

// verifier checks UserSigs, and shuts the app off when too many are refused.
type verifier struct {
	app    int64
	maxBad int // refused signatures within a minute; negative: no limit
	ring   atomic.Pointer[keyring]

	mu           sync.Mutex
	bad          window
	shutOffUntil time.Time
}

// keyring is one generation of keys, with the signatures that were found right under it.
type keyring struct {
	keys []string
	mu   sync.RWMutex
	seen map[string]ticket
}

func newVerifier(config Config) *verifier {
	v := &verifier{app: config.SDKAppID, maxBad: config.MaxBadSignatures}
	v.setKeys([]string{config.SecretKey})
	return v
}

func (v *verifier) setKeys(keys []string) {
	v.ring.Store(&keyring{keys: keys, seen: map[string]ticket{}})
}

// check refuses a signature that is not a valid one of the identifier in the app.
func (v *verifier) check(sig, identifier string, now time.Time) error {
	if v.maxBad < 0 {
		return v.verify(sig, identifier, now)
	}
	v.mu.Lock()
	shutOff := now.Before(v.shutOffUntil)
	v.mu.Unlock()
	if shutOff {
		return refuse(codeShutOff, "UserSig verification failed too often, verify the UserSig and try again in 1 minute")
	}
	err := v.verify(sig, identifier, now)
	if err != nil {
		v.countBad(now)
	}
	return err
}

func (v *verifier) countBad(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bad.add(now, time.Minute) >= v.maxBad {
		v.shutOffUntil = now.Add(time.Minute) // by then, the bad ones are forgotten, too
	}
}

// verify looks at whom the signature names before it looks at the MAC: the signature of another app has another key, too,
// and 70014 tells more than 70009. That it is expired it says only of a right one.
func (v *verifier) verify(sig, identifier string, now time.Time) error {
	ring := v.ring.Load()
	ring.mu.RLock()
	t, seen := ring.seen[sig]
	ring.mu.RUnlock()
	if !seen {
		var err error
		if t, err = parseTicket(sig); err != nil {
			return refuse(codeSigMalformed, "UserSig is malformed: %v", err)
		}
	}
	switch {
	case t.app != v.app:
		return refuse(codeApp, "SDKAppID does not match the one in the UserSig, which is %d", t.app)
	case t.identifier != identifier:
		return refuse(codeIdentifier, "identifier does not match the one in the UserSig, which is %q", t.identifier)
	case !seen && !ring.signed(t):
		return refuse(codeSigMismatch, "UserSig verification failed, probably it was made with the key of another SDKAppID")
	case now.Unix()-t.time > t.expire:
		return refuse(codeExpired, "UserSig expired at %d", t.time+t.expire)
	}
	if !seen {
		ring.remember(sig, t)
	}
	return nil
}

// signed reports whether one of the keys made the ticket's MAC.
func (r *keyring) signed(t ticket) bool {
	for _, key := range r.keys {
		if hmac.Equal(t.mac, t.sign(key)) {
			return true
		}
	}
	return false
}

func (r *keyring) remember(sig string, t ticket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) >= maxSeen {
		clear(r.seen)
	}
	r.seen[sig] = t
}

// sign makes the MAC that the ticket must have: HMAC-SHA256 over one line for each member.
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
