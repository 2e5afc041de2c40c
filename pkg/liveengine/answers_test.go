package liveengine_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
)

// An answer that is not a clean success must become an error. Otherwise it would be read as "nothing earned".
func TestUnusableAnswers(t *testing.T) {
	const (
		invalid     = giftstats.CodeUpstreamInvalidResponse
		unavailable = giftstats.CodeUpstreamUnavailable
	)
	for _, test := range []struct {
		name   string
		answer answer
		want   giftstats.Code
		text   string
	}{
		{name: "not JSON", answer: answer{body: "<html>"}, want: invalid, text: "invalid JSON at byte 1"},
		{name: "empty", answer: answer{}, want: invalid, text: "does not have the documented form"},
		{name: "cut off", answer: answer{body: sample[:60]}, want: invalid, text: "does not have the documented form"},
		{name: "an array", answer: answer{body: "[]"}, want: invalid, text: "it is not a JSON object"},
		{
			name:   "no ErrorCode",
			answer: answer{body: `{"Response":{"TotalCount":1,"TotalCoins":1,"GiftSenderCount":1}}`},
			want:   invalid,
			text:   "it has no ErrorCode",
		},
		{
			name:   "ErrorCode null",
			answer: answer{body: strings.Replace(sample, `"ErrorCode":0`, `"ErrorCode":null`, 1)},
			want:   invalid,
			text:   "it has no ErrorCode",
		},
		{
			name:   "FAIL with code 0",
			answer: answer{body: strings.Replace(sample, "OK", "FAIL", 1)},
			want:   invalid,
			text:   "its ActionStatus is not OK",
		},
		{name: "no totals", answer: answer{body: `{"ActionStatus":"OK","ErrorCode":0}`}, want: invalid, text: "no usable TotalCount"},
		{
			name:   "one total missing",
			answer: answer{body: strings.Replace(sample, `"TotalCoins":1,`, "", 1)},
			want:   invalid,
			text:   "no usable TotalCoins",
		},
		{
			name:   "a total null",
			answer: answer{body: strings.Replace(sample, `"TotalCoins":1`, `"TotalCoins":null`, 1)},
			want:   invalid,
			text:   "no usable TotalCoins",
		},
		{
			name:   "a negative total",
			answer: answer{body: strings.Replace(sample, `"TotalCoins":1`, `"TotalCoins":-1`, 1)},
			want:   invalid,
			text:   "no usable TotalCoins",
		},
		{
			name:   "a fraction",
			answer: answer{body: strings.Replace(sample, `"TotalCoins":1`, `"TotalCoins":1.5`, 1)},
			want:   invalid,
			text:   "not a 64-bit integer",
		},
		{
			name:   "an overflow",
			answer: answer{body: strings.Replace(sample, `"TotalCoins":1`, `"TotalCoins":9223372036854775808`, 1)},
			want:   invalid,
			text:   "not a 64-bit integer",
		},
		{name: "too long", answer: answer{body: strings.Repeat(" ", 1<<20) + sample}, want: invalid, text: "longer than 1048576 bytes"},
		{name: "500 with a success in it", answer: answer{status: 500, body: sample}, want: unavailable, text: "HTTP status 500"},
		{name: "502 of a proxy", answer: answer{status: 502, body: "Bad Gateway"}, want: unavailable, text: "HTTP status 502"},
		{name: "408", answer: answer{status: 408}, want: unavailable, text: "HTTP status 408"},
		{name: "429", answer: answer{status: 429}, want: giftstats.CodeRateLimited, text: "HTTP status 429"},
		{
			name:   "redirect",
			answer: answer{status: 302, header: http.Header{"Location": {"https://elsewhere.example/"}}},
			want:   giftstats.CodeUpstreamConfig,
			text:   "check GIFTSTATS_ENDPOINT",
		},
		{name: "404", answer: answer{status: 404}, want: giftstats.CodeUpstreamConfig, text: "check GIFTSTATS_ENDPOINT"},
		{name: "400 of a proxy", answer: answer{status: 400, body: "Bad Request"}, want: unavailable, text: "HTTP status 400"},
		{name: "403 of a firewall", answer: answer{status: 403, body: "<html>"}, want: unavailable, text: "HTTP status 403"},
		{name: "413 of a proxy", answer: answer{status: 413, body: "{}"}, want: unavailable, text: "HTTP status 413"},
		{name: "421 of a proxy", answer: answer{status: 421}, want: unavailable, text: "HTTP status 421"},
		{name: "a code in a 500", answer: answer{status: 500, body: code(100004, "").body}, want: giftstats.CodeRoomNotFound, text: "100004"},
		{
			name:   "a code beside a wrong shape",
			answer: answer{body: `{"ErrorCode":70107,"Response":[]}`},
			want:   giftstats.CodeAccountNotFound,
			text:   "70107",
		},
		{name: "an unknown code", answer: code(123456, "nonsense"), want: unavailable, text: "123456"},
		{name: "an unknown code in a 400", answer: answer{status: 400, body: code(123456, "x").body}, want: unavailable, text: "123456"},
		{name: "an unknown limit", answer: code(123456, "system overload"), want: giftstats.CodeRateLimited, text: "123456"},
		{
			name:   "an unknown code that says try again",
			answer: code(123456, "Internal error, please TRY AGAIN"),
			want:   unavailable,
			text:   "123456",
		},
		{name: "an unknown code that says it in Chinese", answer: code(123456, "系统繁忙"), want: unavailable, text: "123456"},
		{name: "an unknown code in a 503", answer: answer{status: 503, body: code(123456, "x").body}, want: unavailable, text: "123456"},
		{name: "the app's own webhook", answer: code(102150, "x"), want: giftstats.CodeUpstreamRejected, text: "102150"},
		{name: "network", answer: answer{err: errors.New("connection refused")}, want: unavailable, text: "connection refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			up := &upstream{answers: []answer{test.answer}}
			client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Attempts = 1 })
			stats, err := giftCount(t, client)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %s with %q", err, test.want, test.text)
			}
			if stats != (giftstats.Stats{}) {
				t.Errorf("numbers beside the error: %+v", stats)
			}
		})
	}
}

// The end of a stream takes some codes for a result. If a hiccup had one of them, the summary would say that nothing was earned.
func TestHiccupIsNotTakenForAResult(t *testing.T) {
	results := []giftstats.Code{
		giftstats.CodeRoomNotFound, giftstats.CodeAccountNotFound, giftstats.CodeInvalidRequest, giftstats.CodeUpstreamRejected,
	}
	hiccups := []answer{code(60002, "x"), code(1, ""), code(123456, "请求过于频繁，请稍后再试"), code(100099, "invalid")}
	for status := 300; status < 600; status++ {
		hiccups = append(hiccups, answer{status: status, body: "<html>"})
	}
	for _, hiccup := range hiccups {
		client := newClient(t, &upstream{answers: []answer{hiccup}}, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Attempts = 1 })
		if _, err := giftCount(t, client); err == nil || slices.Contains(results, giftstats.AsError(err).Code) {
			t.Errorf("status %d with %s became %v", hiccup.status, hiccup.body, err)
		}
	}
}

func TestUnknownCodeKeepsItsNumber(t *testing.T) {
	wordy := &upstream{answers: []answer{code(123456, "x"+strings.Repeat("é", 400))}}
	client := newClient(t, wordy, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Attempts = 1 })
	_, err := giftCount(t, client)
	up := giftstats.AsError(err).Upstream
	if up == nil || up.ErrorCode != 123456 || up.RequestID != "Id-1" {
		t.Fatalf("upstream is %+v", up)
	}
	if len(up.ErrorInfo) > 520 || !strings.HasSuffix(up.ErrorInfo, "…") {
		t.Errorf("the text is not cut: %q", up.ErrorInfo)
	}
	if _, err := json.Marshal(up); err != nil {
		t.Error(err)
	}
}

// A thousand ids of a megabyte each would make an answer of a gigabyte to a batch.
func TestRequestIDOfAMegabyteReachesNoAnswer(t *testing.T) {
	long := strings.Repeat("a", 1000)
	for name, body := range map[string]string{
		"success": strings.Replace(sample, `"Id-`, `"`+long, 1),
		"failure": strings.Replace(code(100004, "x").body, `"Id-`, `"`+long, 1),
	} {
		stats, err := giftCount(t, newClient(t, &upstream{answers: []answer{{body: body}}}, &keyStore{key: fakeKey}, nil))
		id := stats.UpstreamRequestID
		if err != nil {
			id = giftstats.AsError(err).Upstream.RequestID
		}
		if id != long[:128] {
			t.Errorf("%s: the id has %d bytes, want the first 128", name, len(id))
		}
	}
}

func TestRequestIDWithControlCharactersReachesNoLog(t *testing.T) {
	body := strings.Replace(sample, `"Id-`, `"Id\n\u0000\u001b[2Jé-`, 1)
	stats, err := giftCount(t, newClient(t, &upstream{answers: []answer{{body: body}}}, &keyStore{key: fakeKey}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := "Id[2J-8c9858f01e954611ae2d4c1b1ed7d583-O-Seq-52720"; stats.UpstreamRequestID != want {
		t.Errorf("the id is %q, want %q", stats.UpstreamRequestID, want)
	}
}

func TestTolerance(t *testing.T) {
	for _, test := range []struct {
		name        string
		body        string
		hasSequence bool
	}{
		{
			name: "numbers as strings",
			body: `{"ActionStatus":"OK","ErrorCode":"0",
				"Response":{"Sequence":"7","TotalCount":"2","TotalCoins":"30","GiftSenderCount":"1"}}`,
			hasSequence: true,
		},
		{
			name: "no ActionStatus",
			body: `{"ErrorCode":0,"Response":{"TotalCount":2,"TotalCoins":30,"GiftSenderCount":1}}`,
		},
		{
			name: "odd sequence",
			body: `{"ActionStatus":"ok","ErrorCode":0,
				"Response":{"Sequence":{"x":1},"TotalCount":2,"TotalCoins":30,"GiftSenderCount":1}}`,
		},
		{
			name: "new fields anywhere",
			body: `{"ActionStatus":"OK","ErrorCode":0,"New":[1],
				"Response":{"More":{},"TotalCount":2,"TotalCoins":30,"GiftSenderCount":1}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			up := &upstream{answers: []answer{{body: test.body}}}
			stats, err := giftCount(t, newClient(t, up, &keyStore{key: fakeKey}, nil))
			if err != nil {
				t.Fatal(err)
			}
			if stats.TotalCount != 2 || stats.TotalCoins != 30 || stats.GiftSenderCount != 1 {
				t.Errorf("got %+v, want 2 gifts, 30 coins, 1 sender", stats)
			}
			if hasSequence := stats.Sequence != nil; hasSequence != test.hasSequence {
				t.Errorf("has a sequence: %v, want %v", hasSequence, test.hasSequence)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(sample), 200)
	f.Add([]byte(code(100004, "x").body), 200)
	f.Add([]byte(`{"ErrorCode":0,"Response":{"RoomInfo":{"Owner_Account":1}}}`), 200)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		if status < 200 || status > 599 {
			return
		}
		up := &upstream{answers: []answer{{status: status, body: string(body)}}}
		client := newClient(t, up, &keyStore{key: fakeKey}, func(c *liveengine.Config) { c.Attempts = 1 })
		stats, err := client.GiftCount(t.Context(), giftstats.Query{RoomID: "r", Account: "a"})
		if err == nil && (status != 200 || stats.TotalCount < 0 || stats.TotalCoins < 0 || stats.GiftSenderCount < 0) {
			t.Fatalf("status %d and %q were decoded as %+v", status, body, stats)
		}
		client.RoomStats(t.Context(), "r")
		if info, err := client.RoomInfo(t.Context(), "r"); err == nil && info.OwnerAccount == "" {
			t.Fatalf("no owner in %q, but no error", body)
		}
	})
}
