package liveengine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
)

var rose = liveengine.Gift{RoomID: "room_id", GiftID: "rose", Sender: "bob", Receiver: "alice"}

func oneAttempt(config *liveengine.Config) { config.Attempts = 1 }

func TestSendGift(t *testing.T) {
	up := &upstream{answers: []answer{{body: `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"RequestId":"Id-1"}`}}}
	if err := newClient(t, up, &keyStore{key: fakeKey}, oneAttempt).SendGift(t.Context(), rose); err != nil {
		t.Fatal(err)
	}
	if want := "POST /prefix/v4/live_engine_http_srv/send_gift"; up.calls[0].path != want {
		t.Errorf("sent %s, want %s", up.calls[0].path, want)
	}
	const want = `{"RoomId":"room_id","GiftId":"rose","Count":1,"From_Account":"bob","ReceiverList_Account":["alice"]}`
	if up.calls[0].body != want {
		t.Errorf("sent %s, want %s", up.calls[0].body, want)
	}
}

// A gift whose answer is lost may have been counted.
func TestSendGiftIsNotRepeated(t *testing.T) {
	for name, lost := range map[string]answer{
		"no answer": {err: errors.New("connection reset")}, "HTTP status 502": {status: 502}, "internal error": code(100001, "try again"),
	} {
		up := &upstream{answers: []answer{lost}}
		err := newClient(t, up, &keyStore{key: fakeKey}, oneAttempt).SendGift(t.Context(), rose)
		if !errors.Is(err, giftstats.CodeUpstreamUnavailable) {
			t.Errorf("%s: the error is %v", name, err)
		}
		if len(up.calls) != 1 {
			t.Errorf("%s: sent %d times", name, len(up.calls))
		}
	}
	up := &upstream{answers: []answer{code(102002, "unknown gift")}}
	err := newClient(t, up, &keyStore{key: fakeKey}, nil).SendGift(t.Context(), rose)
	if err == nil || !strings.Contains(err.Error(), "Attempts 1") || len(up.calls) != 0 {
		t.Errorf("with three attempts, the error is %v after %d calls", err, len(up.calls))
	}
}
