// Package usersig creates and verifies UserSigs, the signatures that authenticate an account of a Tencent Chat app.
//
// The official library does both. This package adds a cache for the one account that this project signs for, and checks that the
// library does not make.
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

// Validity is how long a signature of a [Signer] is valid. Tencent recommends at least 24 hours:
// https://www.tencentcloud.com/document/product/1047/34348 (code 70001).
const Validity = 24 * time.Hour

// Identity is the account that a signature is for, and the key that signs it.
type Identity struct {
	SDKAppID int64
	Account  string
	Key      string
}

// Signer signs for one identity at a time and caches the signature for half of its validity. It is safe for concurrent use.
type Signer struct {
	now func() time.Time

	mu       sync.Mutex
	identity Identity
	sig      string
	renewAt  time.Time
}

// NewSigner returns a Signer that uses now as its clock.
func NewSigner(now func() time.Time) *Signer { return &Signer{now: now} }

// Sign returns a signature for the identity. It returns the cached one if that is for the same identity and not due for renewal.
func (s *Signer) Sign(identity Identity) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.sig != "" && s.identity == identity && now.Before(s.renewAt) {
		return s.sig, nil
	}
	if identity.Key == "" || identity.Account == "" || identity.SDKAppID <= 0 {
		return "", errors.New("usersig: SDKAppID, account and key are required")
	}
	sig, err := tencentyun.GenUserSig(int(identity.SDKAppID), identity.Key, identity.Account, int(Validity/time.Second))
	if err != nil {
		return "", fmt.Errorf("usersig: sign: %w", err)
	}
	s.identity, s.sig, s.renewAt = identity, sig, now.Add(Validity/2)
	return sig, nil
}

// Forget removes the given signature, which upstream refused, from the cache.
func (s *Signer) Forget(refused string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sig == refused {
		s.sig = ""
	}
}
