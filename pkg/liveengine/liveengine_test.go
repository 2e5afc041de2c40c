package liveengine_test

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/usersig"
)

const (
	fakeKey = "not-a-real-key"
	sample  = `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"RequestId":"Id-8c9858f01e954611ae2d4c1b1ed7d583-O-Seq-52720",
		"Response":{"Sequence":1,"TotalCount":1,"TotalCoins":1,"GiftSenderCount":1}}`
)

func TestSampleOfTheAPIPage(t *testing.T) {
	up := &upstream{answers: []answer{{body: sample}}}
	stats, err := giftCount(t, newClient(t, up, &keyStore{key: fakeKey}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if stats.FetchedAt.Location() != time.UTC || time.Since(stats.FetchedAt) > time.Minute {
		t.Errorf("FetchedAt is %v, want now in UTC", stats.FetchedAt)
	}
	sequence := int64(1)
	want := giftstats.Stats{
		RoomID:            "room_id",
		Account:           "user1",
		TotalCount:        1,
		TotalCoins:        1,
		GiftSenderCount:   1,
		Sequence:          &sequence,
		UpstreamRequestID: "Id-8c9858f01e954611ae2d4c1b1ed7d583-O-Seq-52720",
		FetchedAt:         stats.FetchedAt,
	}
	if !reflect.DeepEqual(stats, want) {
		t.Errorf("got %+v, want %+v", stats, want)
	}
}

func TestRequestOfTheAPIPage(t *testing.T) {
	up := &upstream{answers: []answer{{body: sample}}}
	if _, err := giftCount(t, newClient(t, up, &keyStore{key: fakeKey}, nil)); err != nil {
		t.Fatal(err)
	}
	got := up.calls[0]
	if want := "POST /prefix/v4/live_engine_http_srv/get_gift_count"; got.path != want {
		t.Errorf("sent %s, want %s", got.path, want)
	}
	if want := `{"RoomId":"room_id","From_Account":"user1"}`; got.body != want {
		t.Errorf("sent %s, want %s", got.body, want)
	}
	if len(got.query) != 5 { // these three, usersig and random
		t.Errorf("query %v has %d parameters, want 5", got.query, len(got.query))
	}
	for name, want := range map[string]string{"sdkappid": "1400000000", "identifier": "administrator", "contenttype": "json"} {
		if value := got.query.Get(name); value != want {
			t.Errorf("parameter %s is %q, want %q", name, value, want)
		}
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json",
		"Accept":       "application/json",
		"User-Agent":   "giftstats/test",
	} {
		if value := got.header.Get(name); value != want {
			t.Errorf("header %s is %q, want %q", name, value, want)
		}
	}
	identity := usersig.Identity{SDKAppID: 1400000000, Account: "administrator", Key: fakeKey}
	if err := usersig.Verify(got.query.Get("usersig"), identity, time.Now()); err != nil {
		t.Errorf("the signature sent: %v", err)
	}
}

func TestRandomIsFresh(t *testing.T) {
	up := &upstream{answers: []answer{{body: sample}}}
	client := newClient(t, up, &keyStore{key: fakeKey}, nil)
	seen := map[string]bool{}
	for range 20 {
		giftCount(t, client)
	}
	for _, call := range up.calls {
		random := call.query.Get("random")
		if _, err := strconv.ParseUint(random, 10, 32); err != nil {
			t.Errorf("random is %q, not a uint32", random)
		}
		seen[random] = true
	}
	if len(seen) < 19 {
		t.Errorf("20 calls had %d different values of random, want nearly 20", len(seen))
	}
}

func TestRoomStats(t *testing.T) {
	up := &upstream{answers: []answer{{body: `{"ActionStatus":"OK","ErrorCode":0,"RequestId":"Id-2","Response":{
		"TotalViewers":"6","TotalGiftsSent":5,"TotalGiftCoins":9007199254740993,
		"TotalUniqueGiftSenders":3,"TotalLikesReceived":2,"TotalMsgCount":1}}`}}}
	stats, err := newClient(t, up, &keyStore{key: fakeKey}, nil).RoomStats(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	messages := int64(1)
	want := giftstats.RoomStats{
		RoomID: "r",
		RoomTotals: giftstats.RoomTotals{
			TotalViewers:           6,
			TotalGiftsSent:         5,
			TotalGiftCoins:         9007199254740993,
			TotalUniqueGiftSenders: 3,
			TotalLikesReceived:     2,
			TotalMessages:          &messages,
		},
		UpstreamRequestID: "Id-2",
		FetchedAt:         stats.FetchedAt,
	}
	if !reflect.DeepEqual(stats, want) {
		t.Errorf("got %+v, want %+v", stats, want)
	}
	if call := up.calls[0]; call.path != "POST /prefix/v4/live_engine_http_srv/get_room_stats" || call.body != `{"RoomId":"r"}` {
		t.Errorf("sent %s with %s", call.path, call.body)
	}
}

func TestRoomInfo(t *testing.T) {
	for _, test := range []struct {
		name string
		body string
		want giftstats.RoomInfo
	}{
		{
			name: "owner is a number",
			body: `{"ErrorCode":"0","Response":{"RoomInfo":{"RoomId":"r","RoomName":"n","Owner_Account":144115233775727695,
				"CreateTime":1700000000,"IsMessageDisabled":"false","TakeSeatMode":1}}}`,
			want: giftstats.RoomInfo{
				RoomID:       "r",
				RoomName:     "n",
				OwnerAccount: "144115233775727695",
				CreatedAt:    time.Unix(1700000000, 0).UTC(),
			},
		},
		{
			name: "no time",
			body: `{"ErrorCode":0,"Response":{"RoomInfo":{"Owner_Account":"10100015411","CreateTime":null}}}`,
			want: giftstats.RoomInfo{RoomID: "r", OwnerAccount: "10100015411"},
		},
		{
			name: "unusable time",
			body: `{"ErrorCode":0,"Response":{"RoomInfo":{"Owner_Account":"10100015411","CreateTime":"soon"}}}`,
			want: giftstats.RoomInfo{RoomID: "r", OwnerAccount: "10100015411"},
		},
		{
			name: "time zero",
			body: `{"ErrorCode":0,"Response":{"RoomInfo":{"Owner_Account":"10100015411","CreateTime":0}}}`,
			want: giftstats.RoomInfo{RoomID: "r", OwnerAccount: "10100015411"},
		},
		{
			name: "time in milliseconds: no JSON can hold that year",
			body: `{"ErrorCode":0,"Response":{"RoomInfo":{"Owner_Account":"10100015411","CreateTime":1700000000000}}}`,
			want: giftstats.RoomInfo{RoomID: "r", OwnerAccount: "10100015411"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			up := &upstream{answers: []answer{{body: test.body}}}
			info, err := newClient(t, up, &keyStore{key: fakeKey}, nil).RoomInfo(t.Context(), "r")
			if err != nil || info != test.want {
				t.Errorf("got %+v, %v, want %+v", info, err, test.want)
			}
			if call := up.calls[0]; call.path != "POST /prefix/v4/live_engine_http_srv/get_room_info" || call.body != `{"RoomId":"r"}` {
				t.Errorf("sent %s with %s", call.path, call.body)
			}
		})
	}
}

func TestNewChecks(t *testing.T) {
	good := liveengine.Config{Secrets: new(secret.Cache), Limiter: giftstats.NewLimiter(1), Timeout: 1, Attempts: 1}
	good.Endpoint, _ = endpoint.Parse("https://console.tim.qq.com")
	for name, change := range map[string]func(*liveengine.Config){
		"no endpoint":   func(c *liveengine.Config) { c.Endpoint = nil },
		"open endpoint": func(c *liveengine.Config) { c.Endpoint = &url.URL{Scheme: "http", Host: "example.com"} },
		"no secrets":    func(c *liveengine.Config) { c.Secrets = nil },
		"no limiter":    func(c *liveengine.Config) { c.Limiter = nil },
		"no timeout":    func(c *liveengine.Config) { c.Timeout = 0 },
		"no attempts":   func(c *liveengine.Config) { c.Attempts = 0 },
	} {
		config := good
		change(&config)
		if _, err := liveengine.New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := liveengine.New(good); err != nil {
		t.Error(err)
	}
}

func ExampleClient_GiftCount() {
	up := &upstream{answers: []answer{{body: sample}}}
	client := newClient(new(testing.B), up, &keyStore{key: fakeKey}, nil)
	stats, err := client.GiftCount(context.Background(), giftstats.Query{RoomID: "room_id", Account: "user1"})
	fmt.Println(stats.TotalCount, stats.TotalCoins, stats.GiftSenderCount, err)
	// Output: 1 1 1 <nil>
}
