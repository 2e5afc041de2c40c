package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

const maxPage = 20 // rooms of one answer of get_room_list

// listedRoom is one entry of a room list.
type listedRoom struct {
	RoomName       string
	RoomID         string        `json:"RoomId"`
	Owner          sampleAccount `json:"Owner_Account"`
	CoverURL       string
	Category       []int64
	CreateTime     int64 // Unix seconds
	ActivityStatus int64
	ViewCount      int64
}

// getRoomList lists all rooms. Whether Tencent leaves out rooms without IsPublicVisible is not documented. Next is the number
// of rooms before the page, so a room whose rank changes between two calls may be skipped or listed twice; with Tencent's
// order, this is possible too.
//
// Source: https://www.tencentcloud.com/document/product/647/63421
func (e *Engine) getRoomList(_ *http.Request, body *object) (any, error) {
	next, count := "", int64(maxPage)
	optional(body, "Next", body.text, &next)
	optional(body, "Count", body.integer, &count)
	if body.err != nil {
		return nil, body.err
	}
	if count < 1 || count > maxPage {
		return nil, refuse(codeParameter, "Count is %d, it must be 1 to %d", count, maxPage)
	}
	first, err := strconv.ParseUint(cmp.Or(next, "0"), 10, 31)
	if err != nil {
		return nil, refuse(codeParameter, "Next is not from an earlier answer")
	}
	var answer struct {
		Next     string
		RoomList []listedRoom
	}
	rooms := e.state.list()
	from := min(int(first), len(rooms))
	to := min(from+int(count), len(rooms))
	answer.RoomList = rooms[from:to]
	if to < len(rooms) {
		answer.Next = strconv.Itoa(to)
	}
	return answer, nil
}

// list returns all rooms, those with the most entries first.
func (s *state) list() []listedRoom {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rooms := make([]listedRoom, 0, len(s.rooms))
	for _, r := range s.rooms {
		d := r.describe()
		rooms = append(rooms, listedRoom{
			RoomName: d.RoomName, RoomID: d.RoomID, Owner: d.Owner, CoverURL: d.CoverURL, Category: d.Category,
			CreateTime: r.created.Unix(), ActivityStatus: d.ActivityStatus, ViewCount: d.ViewCount,
		})
	}
	slices.SortFunc(rooms, func(a, b listedRoom) int {
		return cmp.Or(cmp.Compare(b.ViewCount, a.ViewCount), cmp.Compare(a.CreateTime, b.CreateTime), cmp.Compare(a.RoomID, b.RoomID))
	})
	return rooms
}
