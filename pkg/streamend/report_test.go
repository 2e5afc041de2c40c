package streamend_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
)

// wantHonest checks what no event may claim: an account that is counted twice, and totals below zero.
func wantHonest(t *testing.T, event streamend.Event) {
	t.Helper()
	accounts := slices.Sorted(slices.Values(event.Accounts))
	if len(slices.Compact(accounts)) != len(event.Accounts) {
		t.Errorf("an account is repeated: %q", event.Accounts)
	}
	totals := event.RoomTotals
	if totals == nil {
		return
	}
	counts := []int64{
		totals.TotalViewers, totals.TotalGiftsSent, totals.TotalGiftCoins, totals.TotalUniqueGiftSenders, totals.TotalLikesReceived,
	}
	if totals.TotalMessages != nil {
		counts = append(counts, *totals.TotalMessages)
	}
	if slices.Min(counts) < 0 {
		t.Errorf("a total is negative: %+v", totals)
	}
}

// A host who is named three times is paid once.
func TestRepeatedAccountsAreRemoved(t *testing.T) {
	event, err := streamend.Parse([]byte(`{"room_id":"r","accounts":["b","a","b","c","a","b"]}`), "m")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"b", "a", "c"}; !slices.Equal(event.Accounts, want) {
		t.Errorf("accounts = %q, want %q", event.Accounts, want)
	}
}

func TestReportKeepsItsAccounts(t *testing.T) {
	report := streamend.Report{RoomID: "r", Accounts: []string{"a", "a", "b"}}
	if _, err := report.Event("m"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "a", "b"}; !slices.Equal(report.Accounts, want) {
		t.Errorf("accounts of the report = %q, want %q", report.Accounts, want)
	}
}

// Totals that are incomplete or impossible would be delivered as complete numbers, zeros among them.
func TestTotalsThatCannotBeAreRefused(t *testing.T) {
	const all = `"total_viewers":1,"total_gifts_sent":2,"total_gift_coins":3,"total_unique_gift_senders":4,"total_likes_received":5`
	for _, test := range []struct {
		name, totals string
		want         string // part of the error; empty if the totals are accepted
	}{
		{name: "all five", totals: "{" + all + "}"},
		{name: "with messages", totals: "{" + all + `,"total_messages":6}`},
		{name: "zeros", totals: strings.NewReplacer("1", "0", "2", "0", "3", "0", "4", "0", "5", "0").Replace("{" + all + "}")},
		{name: "null", totals: "null"},
		{name: "none", totals: "{}", want: "room_totals has no total_viewers; give it, or leave room_totals out"},
		{name: "no coins", totals: without(all, "total_gift_coins"), want: "room_totals has no total_gift_coins"},
		{name: "no gifts", totals: without(all, "total_gifts_sent"), want: "room_totals has no total_gifts_sent"},
		{name: "no senders", totals: without(all, "total_unique_gift_senders"), want: "room_totals has no total_unique_gift_senders"},
		{name: "no likes", totals: without(all, "total_likes_received"), want: "room_totals has no total_likes_received"},
		{
			name: "a total is null", totals: strings.Replace("{"+all+"}", ":3", ":null", 1),
			want: "room_totals has no total_gift_coins",
		},
		{
			name: "negative coins", totals: strings.Replace("{"+all+"}", ":3", ":-3", 1),
			want: "room_totals.total_gift_coins is -3; a total must not be negative",
		},
		{name: "negative messages", totals: "{" + all + `,"total_messages":-6}`, want: "room_totals.total_messages is -6"},
		{name: "a fraction", totals: strings.Replace("{"+all+"}", ":3", ":3.5", 1), want: "room_totals.total_gift_coins has the wrong type"},
		{name: "a list", totals: "[]", want: "room_totals has the wrong type"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := streamend.Parse([]byte(`{"room_id":"r","room_totals":`+test.totals+`}`), "m")
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("the error is %v, want %q in it", err, test.want)
			}
			if !permanent.Is(err) {
				t.Errorf("the error is not permanent: %v", err)
			}
		})
	}
}

// without returns an object of the fields but the one with name.
func without(fields, name string) string {
	rest := slices.DeleteFunc(strings.Split(fields, ","), func(field string) bool { return strings.Contains(field, `"`+name+`"`) })
	return "{" + strings.Join(rest, ",") + "}"
}

// Refused events have the code of a request that must be changed, and name the account that is wrong.
func TestRefusalNamesTheEntry(t *testing.T) {
	_, err := streamend.Report{RoomID: "r", Accounts: []string{"a", strings.Repeat("x", 33)}}.Event("m")
	failure := giftstats.AsError(err)
	if failure.Code != giftstats.CodeInvalidRequest {
		t.Errorf("code = %s, want invalid_request", failure.Code)
	}
	if want := "accounts[1]: account has 33 bytes"; !strings.Contains(failure.Detail, want) {
		t.Errorf("detail = %q, want %q in it", failure.Detail, want)
	}
}

func TestDeliverReturnsTheSummary(t *testing.T) {
	event := streamend.Event{EventID: "e", RoomID: "r", Accounts: []string{"a"}, Source: streamend.SourceDirect}
	for _, test := range []struct {
		name     string
		box      *box
		failures map[string]giftstats.Code
		summary  bool
		fails    bool
	}{
		{name: "delivered", box: &box{}, summary: true},
		{name: "not delivered", box: &box{err: permanent.Error(errors.New("410 Gone"))}, summary: true, fails: true},
		{name: "not made", box: &box{}, failures: map[string]giftstats.Code{"info": giftstats.CodeUpstreamTimeout}, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			summary, err := processor(t, engine{failures: test.failures}, test.box).Deliver(t.Context(), event)
			if (err != nil) != test.fails {
				t.Errorf("the error is %v, want one: %v", err, test.fails)
			}
			if (summary != nil) != test.summary {
				t.Fatalf("the summary is %s, want one: %v", summary, test.summary)
			}
			if test.summary && string(summary) != string(test.box.messages[0].Body) {
				t.Errorf("the summary is %s, but %s was sent", summary, test.box.messages[0].Body)
			}
		})
	}
}
