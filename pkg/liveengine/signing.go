package liveengine

import (
	"context"
	"net/url"
	"strconv"
	"sync/atomic"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/usersig"
)

// signature signs calls. It is kept with the document that it was made from.
type signature struct {
	document *secret.Document
	usersig  string
	escaped  string // the UserSig, escaped for a URL
	query    string // the query string for both, encoded once
	// fragments are the shortest parts of usersig and escaped that redact looks for. Every answer is searched for them.
	fragments map[string]bool
}

func newSignature(document *secret.Document, sig string) *signature {
	escaped := url.QueryEscape(sig)
	return &signature{document, sig, escaped, query(document, sig), fragments(sig, escaped)}
}

// signing provides the signatures of a client.
//
// Tencent stops all calls of an app for a minute after too many wrong signatures (70050). Therefore a refused signature is not sent
// again: one call tries a new one, and the others wait for the outcome. If there is no new one, because neither the secret nor the
// second has changed, or if it is refused as well, calls fail without being sent until the secret may be read again.
type signing struct {
	secrets   *secret.Cache
	signer    *usersig.Signer
	latest    atomic.Pointer[signature]
	trial     atomic.Pointer[trial] // of a signature that is in doubt, or nil
	replacing chan struct{}         // holds an element while a signature is replaced
}

func newSigning(secrets *secret.Cache, signer *usersig.Signer) *signing {
	return &signing{secrets: secrets, signer: signer, replacing: make(chan struct{}, 1)}
}

// trial is the call that finds out whether a signature is accepted.
type trial struct {
	signature *signature
	ended     chan struct{}
	refusal   *giftstats.Error // set before ended is closed; nil if the signature was not refused
}

func (t *trial) end(refusal *giftstats.Error) {
	t.refusal = refusal
	close(t.ended)
}

// get returns the signature for a call. If it also returns a trial, this call is the one that others wait for, and settle must be
// called.
func (s *signing) get(ctx context.Context) (*signature, *trial, error) {
	for {
		document, err := s.secrets.Get(ctx)
		if err != nil {
			return nil, nil, err
		}
		signed, err := s.sign(document)
		if err != nil {
			return nil, nil, err
		}
		doubt := s.trial.Load()
		if doubt == nil || doubt.signature != signed {
			return signed, nil, nil
		}
		select {
		case <-doubt.ended:
		case <-ctx.Done():
			return nil, nil, giftstats.AsError(ctx.Err())
		}
		if doubt.refusal == nil {
			return signed, nil, nil
		}
		if signed, mine, err := s.replace(ctx, doubt); signed != nil || err != nil {
			return signed, mine, err
		}
	}
}

// replace reads the secret again and returns a new signature and its trial. It returns the refusal if there is no new signature yet, and
// nothing if another call has replaced the signature meanwhile.
func (s *signing) replace(ctx context.Context, refused *trial) (*signature, *trial, error) {
	select {
	case s.replacing <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, giftstats.AsError(ctx.Err())
	}
	defer func() { <-s.replacing }()
	if s.trial.Load() != refused {
		return nil, nil, nil
	}
	document, read := s.secrets.Reread(ctx, refused.signature.document)
	if !read {
		return nil, nil, refused.refusal
	}
	s.signer.Forget(refused.signature.usersig)
	signed, err := s.sign(document)
	if err != nil {
		return nil, nil, err
	}
	if signed == refused.signature {
		return nil, nil, refused.refusal
	}
	mine := &trial{signature: signed, ended: make(chan struct{})}
	s.trial.Store(mine)
	return signed, mine, nil
}

// renew reads the secret again after a refusal that may have another reason than the signature. It reports whether another attempt is
// worth making.
func (s *signing) renew(ctx context.Context, refused *signature) bool {
	_, read := s.secrets.Reread(ctx, refused.document)
	if read {
		s.signer.Forget(refused.usersig)
	}
	return read || s.latest.Load() != refused
}

// settle takes note of what an attempt says about its signature.
func (s *signing) settle(signed *signature, mine *trial, fault *fault) {
	var refusal *giftstats.Error
	if fault != nil && fault.repeat == signOrHold {
		refusal = fault.Error
	}
	switch doubt := s.trial.Load(); {
	case mine != nil:
		if refusal == nil {
			s.trial.CompareAndSwap(mine, nil)
		}
		mine.end(refusal)
	case refusal != nil && s.latest.Load() == signed && (doubt == nil || doubt.signature != signed):
		refused := &trial{signature: signed, ended: make(chan struct{})}
		refused.end(refusal)
		s.trial.CompareAndSwap(doubt, refused)
	}
}

// inDoubt reports whether a signature was refused, or is being tried.
func (s *signing) inDoubt(signed *signature) bool {
	doubt := s.trial.Load()
	return doubt != nil && doubt.signature == signed
}

// sign returns a signature made with the document. It is the same one for the same document and the same UserSig.
func (s *signing) sign(document *secret.Document) (*signature, error) {
	sig, err := s.signer.Sign(usersig.Identity{
		SDKAppID: document.SDKAppID,
		Account:  document.Admin,
		Key:      document.SecretKey.Reveal(),
	})
	if err != nil {
		return nil, err
	}
	latest := s.latest.Load()
	if latest != nil && latest.document == document && latest.usersig == sig {
		return latest, nil
	}
	signed := newSignature(document, sig)
	if !s.latest.CompareAndSwap(latest, signed) {
		return s.sign(document) // another call has signed at the same time, probably the same
	}
	return signed, nil
}

// query returns the documented query string without its random part. It must be escaped: a UserSig may contain '*'.
func query(document *secret.Document, usersig string) string {
	return url.Values{
		"sdkappid":    {strconv.FormatInt(document.SDKAppID, 10)},
		"identifier":  {document.Admin},
		"usersig":     {usersig},
		"contenttype": {"json"},
	}.Encode()
}
