package ledger

import (
	"slices"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// Account is one that may receive gifts in a stream.
type Account struct {
	Account string `json:"account"`
	// Receives is true for owners, former owners, receivers of gifts, and accounts that the app named; false for members who only took a
	// seat.
	Receives  bool       `json:"receives,omitempty"`
	Owned     bool       `json:"owned,omitempty"`     // Tencent has named it as the owner, in an answer and not in a webhook
	Unknown   bool       `json:"unknown,omitempty"`   // Tencent says that it knows no such account
	Snapshots []Snapshot `json:"snapshots,omitempty"` // newest first
}

// idle reports whether Tencent says that the account has received nothing, and has never been the owner.
func (a *Account) idle() bool {
	return !a.Owned && (a.Unknown || a.Last() != nil && a.Last().TotalCount == 0)
}

// confirmed reports whether Tencent says that the account has received gifts, or has been the owner.
func (a *Account) confirmed() bool { return a.Owned || a.Last() != nil && a.Last().TotalCount > 0 }

// MaxAccounts bounds the accounts of one stream: more hosts and co-hosts than any room has.
const MaxAccounts = 100

// AddAccount adds an account unless it is known, and reports whether the stream changed. An account that cannot be one is ignored. In a
// stream that is full, it replaces an account for which Tencent reports no gifts, and is ignored if there is no such account: webhooks can
// be forged, and made-up accounts must neither displace hosts nor keep them out for longer than a sweep.
func (s *Stream) AddAccount(account string, receives bool) bool {
	return s.add(account, receives, s.displaceIdle)
}

// addTrusted adds an account that Tencent or the app itself names. It also takes the place of one for which Tencent has not answered, but
// not of one of keep.
func (s *Stream) addTrusted(account string, keep []string) bool {
	return s.add(account, true, func() bool { return s.displaceIdle() || s.displaceUnconfirmed(keep) })
}

func (s *Stream) add(account string, receives bool, displace func() bool) bool {
	if known := s.Account(account); known != nil {
		changed := receives && !known.Receives
		known.Receives = known.Receives || receives
		return changed
	}
	if giftstats.ValidateAccount(account) != nil {
		return false
	}
	if len(s.Accounts) >= MaxAccounts && !displace() {
		return s.crowd()
	}
	s.Accounts = append(s.Accounts, Account{Account: account, Receives: receives})
	return true
}

// crowd records that an account has no place, and reports whether that is new. After the end nobody receives gifts any more.
func (s *Stream) crowd() bool {
	if s.Crowded || s.End != nil {
		return false
	}
	s.Crowded = true
	return true
}

// displaceIdle removes an account that has received nothing, first one that does not exist. After the end nothing is removed.
func (s *Stream) displaceIdle() bool {
	if s.End != nil {
		return false
	}
	for _, removable := range []func(Account) bool{
		func(a Account) bool { return a.Unknown && a.idle() },
		func(a Account) bool { return a.idle() },
	} {
		if i := slices.IndexFunc(s.Accounts, func(a Account) bool { return a.Account != s.Owner && removable(a) }); i >= 0 {
			if !s.Accounts[i].Unknown {
				s.crowd()
			}
			s.Accounts = slices.Delete(s.Accounts, i, i+1)
			return true
		}
	}
	return false
}

// displaceUnconfirmed removes the newest account that Tencent has not confirmed.
func (s *Stream) displaceUnconfirmed(keep []string) bool {
	for i := len(s.Accounts) - 1; i >= 0; i-- {
		if a := &s.Accounts[i]; a.Account != s.Owner && !a.confirmed() && !slices.Contains(keep, a.Account) {
			s.crowd()
			s.Accounts = slices.Delete(s.Accounts, i, i+1)
			return true
		}
	}
	return false
}

// Account returns what is known of an account, or nil.
func (s *Stream) Account(account string) *Account {
	if i := slices.IndexFunc(s.Accounts, func(a Account) bool { return a.Account == account }); i >= 0 {
		return &s.Accounts[i]
	}
	return nil
}

// MarkUnknown records that Tencent knows no such account.
func (s *Stream) MarkUnknown(account string) {
	if known := s.Account(account); known != nil && known.Last() == nil {
		known.Unknown = true
	}
}

// WithReceivers returns the accounts of the stream and the receivers of its gifts. If they are too many, receivers take the places of
// accounts without a gift: first of those that have received nothing, then of the newest for which Tencent has not answered.
func (s *Stream) WithReceivers(tally *Tally) []string {
	var accounts []string
	for _, account := range s.Accounts {
		accounts = append(accounts, account.Account)
	}
	for _, receiver := range tally.Receivers() {
		if slices.Contains(accounts, receiver) {
			continue
		}
		if len(accounts) >= MaxAccounts {
			giving := s.givesPlace(accounts, tally)
			if giving < 0 {
				break
			}
			accounts = slices.Delete(accounts, giving, giving+1)
		}
		accounts = append(accounts, receiver)
	}
	return accounts
}

// givesPlace returns which of the accounts gives its place to a receiver of gifts, or -1. Those that the app named keep theirs unless
// Tencent says that they have received nothing.
func (s *Stream) givesPlace(accounts []string, tally *Tally) int {
	unconfirmed := -1
	for i, account := range accounts {
		known := s.Account(account)
		if sum, _ := tally.Received(account); account == s.Owner || known == nil || known.confirmed() || sum != (Sum{}) {
			continue
		}
		if known.idle() {
			return i
		}
		if s.End == nil || !slices.Contains(s.End.Accounts, account) {
			unconfirmed = i
		}
	}
	return unconfirmed
}
