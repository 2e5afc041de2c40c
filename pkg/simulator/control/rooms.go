package control

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/simulator"
)

// room is a room as the answers show it. Its numbers are the true ones, regardless of faults.
type room struct {
	RoomID    string    `json:"room_id"`
	Name      string    `json:"name"`
	Owner     string    `json:"owner"`
	CreatedAt time.Time `json:"created_at"`

	TotalViewers int64 `json:"total_viewers"`
	TotalGifts   int64 `json:"total_gifts_sent"`
	TotalCoins   int64 `json:"total_gift_coins"`
	TotalSenders int64 `json:"total_unique_gift_senders"`
	TotalLikes   int64 `json:"total_likes_received"`
	TotalMessage int64 `json:"total_messages"`

	Accounts []received `json:"accounts"`
	Seats    []seat     `json:"seats"`
}

// received is what an account has received in a room.
type received struct {
	Account    string `json:"account"`
	TotalCount int64  `json:"total_count"`
	TotalCoins int64  `json:"total_coins"`
	Senders    int64  `json:"gift_sender_count"`
}

type seat struct {
	Index   int64  `json:"index"`
	Account string `json:"account"`
}

func describe(r simulator.Room) room {
	described := room{
		RoomID: r.RoomID, Name: r.RoomName, Owner: r.Owner, CreatedAt: r.CreatedAt.UTC(),
		TotalViewers: r.TotalViewers, TotalGifts: r.TotalGiftsSent, TotalCoins: r.TotalGiftCoins,
		TotalSenders: r.TotalUniqueGiftSenders, TotalLikes: r.TotalLikesReceived, TotalMessage: r.TotalMsgCount,
		Accounts: []received{}, Seats: []seat{},
	}
	for _, account := range slices.Sorted(maps.Keys(r.Received)) {
		got := r.Received[account]
		described.Accounts = append(described.Accounts, received{account, got.TotalCount, got.TotalCoins, got.GiftSenderCount})
	}
	for _, index := range slices.Sorted(maps.Keys(r.Seats)) {
		described.Seats = append(described.Seats, seat{index, r.Seats[index]})
	}
	return described
}

func (h *Handler) listRooms(request) (int, any, error) {
	rooms := []room{}
	for _, r := range h.config.Engine().Rooms() {
		rooms = append(rooms, describe(r))
	}
	return http.StatusOK, map[string]any{"rooms": rooms}, nil
}

func (h *Handler) showRoom(r request) (int, any, error) {
	return h.changed(r, nil)
}

// changed returns the room after a change, or the error of the change.
func (h *Handler) changed(r request, err error) (int, any, error) {
	if err != nil {
		return 0, nil, err
	}
	found, err := h.config.Engine().Room(r.PathValue("room_id"))
	return http.StatusOK, describe(found), err
}

func (h *Handler) createRoom(r request) (int, any, error) {
	var body struct {
		RoomID string `json:"room_id"`
		Owner  string `json:"owner"`
		Name   string `json:"name"`
		Seats  int64  `json:"seats"`
		Public *bool  `json:"public"`
	}
	if err := r.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := required("room_id", body.RoomID, "owner", body.Owner); err != nil {
		return 0, nil, err
	}
	if err := giftstats.ValidateRoomID(body.RoomID); err != nil {
		return 0, nil, err
	}
	if body.Seats < 0 {
		return 0, nil, giftstats.Invalid("seats is %d; it must not be negative", body.Seats)
	}
	engine := h.config.Engine()
	err := engine.CreateRoom(simulator.RoomInfo{
		RoomID: body.RoomID, RoomName: body.Name, Owner: body.Owner, IsPublicVisible: body.Public == nil || *body.Public,
		IsSeatEnabled: true, MaxSeatCount: cmp.Or(body.Seats, 8),
	})
	if err != nil {
		return 0, nil, err
	}
	created, err := engine.Room(body.RoomID)
	return http.StatusCreated, describe(created), err
}

// sendGift also takes a webhook before the gift into account, which may refuse it.
func (h *Handler) sendGift(r request) (int, any, error) {
	var body struct {
		GiftID    string   `json:"gift_id"`
		Count     *int64   `json:"count"`
		Sender    string   `json:"sender"`
		Receivers []string `json:"receivers"`
	}
	if err := r.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := required("gift_id", body.GiftID, "sender", body.Sender); err != nil {
		return 0, nil, err
	}
	count := int64(1)
	if body.Count != nil {
		count = *body.Count
	}
	return h.changed(r, h.config.Engine().SendGift(simulator.SentGift{
		RoomID: r.PathValue("room_id"), GiftID: body.GiftID, Count: count, Sender: body.Sender, Receivers: body.Receivers,
	}))
}

func (h *Handler) like(r request) (int, any, error) {
	var body struct {
		Account string `json:"account"`
		Count   *int64 `json:"count"`
	}
	if err := r.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := required("account", body.Account); err != nil {
		return 0, nil, err
	}
	count := int64(1)
	if body.Count != nil {
		count = *body.Count
	}
	return h.changed(r, h.config.Engine().Like(r.PathValue("room_id"), body.Account, count))
}

func (h *Handler) enter(r request) (int, any, error) {
	return h.byAccount(r, h.config.Engine().EnterRoom)
}
func (h *Handler) sendMessage(r request) (int, any, error) {
	return h.byAccount(r, h.config.Engine().SendMessage)
}
func (h *Handler) changeOwner(r request) (int, any, error) {
	return h.byAccount(r, h.config.Engine().ChangeOwner)
}

// byAccount makes a change of a room that needs nothing but an account.
func (h *Handler) byAccount(r request, change func(roomID, account string) error) (int, any, error) {
	var body struct {
		Account string `json:"account"`
	}
	if err := r.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := required("account", body.Account); err != nil {
		return 0, nil, err
	}
	return h.changed(r, change(r.PathValue("room_id"), body.Account))
}

func (h *Handler) takeSeat(r request) (int, any, error) {
	var body struct {
		Account string `json:"account"`
		Index   int64  `json:"index"`
	}
	if err := r.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := required("account", body.Account); err != nil {
		return 0, nil, err
	}
	return h.changed(r, h.config.Engine().TakeSeat(r.PathValue("room_id"), body.Account, body.Index))
}

func (h *Handler) leaveSeat(r request) (int, any, error) {
	return h.changed(r, h.config.Engine().LeaveSeat(r.PathValue("room_id"), r.PathValue("account")))
}

// sent is the result of a webhook.
type sent struct {
	Command string `json:"command"`
	Status  int    `json:"status,omitempty"`
	Answer  string `json:"answer,omitempty"`
	Error   string `json:"error,omitempty"`
}

// endRoom dissolves a room. The answer has the totals that Tencent reports, and the result of the webhook.
func (h *Handler) endRoom(r request) (int, any, error) {
	roomID := r.PathValue("room_id")
	dissolved, err := h.config.Engine().DestroyRoom(r.Context(), roomID)
	if err != nil {
		return 0, nil, err
	}
	answer := struct {
		RoomID     string `json:"room_id"`
		TotalGifts int64  `json:"total_gifts_sent"`
		TotalCoins int64  `json:"total_gift_coins"`
		Webhook    *sent  `json:"webhook,omitempty"`
	}{RoomID: roomID, TotalGifts: dissolved.Statistic.TotalGiftsSent, TotalCoins: dissolved.Statistic.TotalGiftCoins}
	if hook := dissolved.Webhook; hook != nil {
		answer.Webhook = &sent{Command: hook.Command, Status: hook.Status, Answer: hook.Body}
		if hook.Err != nil {
			answer.Webhook.Error = hook.Err.Error()
		}
	}
	return http.StatusOK, answer, nil
}
