package simulator

import "context"

// ChangeOwner makes another account the owner of a room.
func (e *Engine) ChangeOwner(roomID, account string) error {
	if err := e.checkAccount("account", account); err != nil {
		return err
	}
	var original string
	err := e.state.update(roomID, func(r *room) error {
		if r.info.Owner == account {
			return refuse(codeParameter, "the account %q is the owner already", account)
		}
		original, r.info.Owner = r.info.Owner, account
		return nil
	})
	if err == nil {
		e.afterChangeOwner(context.Background(), roomID, original, account)
	}
	return err
}

// TakeSeat puts an account on a free seat of a room. Seats are numbered from 0; without MaxSeatCount, their number is not limited.
func (e *Engine) TakeSeat(roomID, account string, index int64) error {
	if err := e.checkAccount("account", account); err != nil {
		return err
	}
	err := e.state.update(roomID, func(r *room) error {
		if index < 0 || r.info.MaxSeatCount > 0 && index >= r.info.MaxSeatCount {
			return refuse(codeParameter, "the room has no seat %d", index)
		}
		if member := r.seats[index]; member != "" {
			return refuse(codeParameter, "the seat %d is taken by %q", index, member)
		}
		if other, seated := r.seatOf(account); seated {
			return refuse(codeParameter, "the account %q is on the seat %d", account, other)
		}
		r.seats[index] = account
		return nil
	})
	if err == nil {
		e.afterSeatChange(context.Background(), roomID, seat{Index: index, Member: sampleAccount(account)})
	}
	return err
}

// LeaveSeat takes an account off its seat.
func (e *Engine) LeaveSeat(roomID, account string) error {
	var index int64
	err := e.state.update(roomID, func(r *room) error {
		var seated bool
		if index, seated = r.seatOf(account); !seated {
			return refuse(codeParameter, "the account %q is on no seat", account)
		}
		delete(r.seats, index)
		return nil
	})
	if err == nil {
		e.afterSeatChange(context.Background(), roomID, seat{Index: index})
	}
	return err
}

// seatOf returns the seat that an account is on.
func (r *room) seatOf(account string) (index int64, seated bool) {
	for index, member := range r.seats {
		if member == account {
			return index, true
		}
	}
	return 0, false
}
