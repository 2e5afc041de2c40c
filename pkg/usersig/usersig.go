// Package usersig makes and checks UserSigs, the signatures that stand for an account of a Tencent Chat app.
//
// Both sides are the official library's; around it stand a cache for the one account that this project signs for, and the
// checks that the library leaves out.
//
// Source: https://github.com/tencentyun/tls-sig-api-v2-golang
package usersig

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

// Validity is how long a signature made here is good. Tencent recommends at least 24 hours:
// https://www.tencentcloud.com/document/product/1047/34348 (code 70001).
const Validity = 24 * time.Hour

// Identity is who a signature is made for, and with which key.
type Identity struct {
	SDKAppID int64
	Account  string
	Key      string
}

// Signer signs for one identity at a time and keeps the signature for half of its validity. It may be used from several
// goroutines.
type Signer struct {
	now func() time.Time

	mu       sync.Mutex
	identity Identity
	sig      string
	renewAt  time.Time
}

// NewSigner renews its signatures by the clock now.
func NewSigner(now func() time.Time) *Signer { return &Signer{now: now} }

// Sign returns a signature for the identity: the kept one while it is young enough and made for the same identity.
func (s *Signer) Sign(identity Identity) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.sig != "" && s.identity == identity && now.Before(s.renewAt) {
		return s.sig, nil
	}
	if identity.Key == "" || identity.Account == "" || identity.SDKAppID <= 0 {
		return "", errors.New("usersig: app, account and key are needed to sign")
	}
	sig, err := tencentyun.GenUserSig(int(identity.SDKAppID), identity.Key, identity.Account, int(Validity/time.Second))
	if err != nil {
		return "", fmt.Errorf("usersig: sign: %w", err)
	}
	s.identity, s.sig, s.renewAt = identity, sig, now.Add(Validity/2)
	return sig, nil
}

// Forget drops the kept signature if it is the given one, which upstream refused.
func (s *Signer) Forget(refused string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sig == refused {
		s.sig = ""
	}
}
