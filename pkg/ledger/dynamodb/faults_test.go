package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/dynamodb"
	"github.com/giftstats/giftstats/pkg/ledger/ledgertest"
)

// calls are all methods of a store, with arguments for which each of them asks DynamoDB.
var calls = map[string]func(context.Context, *dynamodb.Store) error{
	"Rooms": func(ctx context.Context, s *dynamodb.Store) error {
		_, err := s.Rooms(ctx, []string{"a", "b"})
		return err
	},
	"one room": func(ctx context.Context, s *dynamodb.Store) error {
		_, err := s.Rooms(ctx, []string{"a"})
		return err
	},
	"SaveRoom": func(ctx context.Context, s *dynamodb.Store) error {
		return s.SaveRoom(ctx, ledgertest.NewRoom("a"), ledgertest.Start.Add(time.Hour))
	},
	"deletion of a room": func(ctx context.Context, s *dynamodb.Store) error {
		return s.SaveRoom(ctx, ledger.Room{RoomID: "a"}, ledgertest.Start)
	},
	"OpenRooms": func(ctx context.Context, s *dynamodb.Store) error {
		_, err := s.OpenRooms(ctx)
		return err
	},
	"AddGift": func(ctx context.Context, s *dynamodb.Store) error {
		return s.AddGift(ctx, ledgertest.NewGift("a", "g", 0), ledgertest.Start.Add(time.Hour))
	},
	"Gifts": func(ctx context.Context, s *dynamodb.Store) error {
		var failed error
		for _, err := range s.Gifts(ctx, "a", ledgertest.Start, ledgertest.Start.Add(time.Hour)) {
			failed = errors.Join(failed, err)
		}
		return failed
	},
	"SaveEnded": func(ctx context.Context, s *dynamodb.Store) error {
		_, err := s.SaveEnded(ctx, ledgertest.NewEnded("a", "1", 0))
		return err
	},
	"Ended": func(ctx context.Context, s *dynamodb.Store) error {
		_, err := s.Ended(ctx, "a", "1")
		return err
	},
	"ListEnded": func(ctx context.Context, s *dynamodb.Store) error {
		_, err := s.ListEnded(ctx, everything())
		return err
	},
	"MarkTaken": func(ctx context.Context, s *dynamodb.Store) error { return s.MarkTaken(ctx, "a", "1", "r") },
	"Lease": func(ctx context.Context, s *dynamodb.Store) error {
		_, err := s.Lease(ctx, "sweep", "h", ledgertest.Start)
		return err
	},
	"ReserveSlots": func(ctx context.Context, s *dynamodb.Store) error {
		_, _, err := s.ReserveSlots(ctx, 1, time.Second, time.Second)
		return err
	},
	"Release": func(ctx context.Context, s *dynamodb.Store) error { return s.Release(ctx, "sweep", "h") },
}

func everything() ledger.Query {
	return ledger.Query{From: time.Unix(0, 0), To: ledgertest.Start.Add(1000 * time.Hour), Limit: 100}
}

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault awsapi.Fault
		want  string
	}{
		{
			name:  "throttled",
			fault: awsapi.Fault{Code: "ProvisionedThroughputExceededException", Message: "Rate exceeded"},
			want:  "the table is throttled",
		},
		{name: "forbidden", fault: awsapi.Fault{Code: "AccessDeniedException"}, want: "the function's role needs this action"},
		{name: "missing", fault: awsapi.Fault{Code: "ResourceNotFoundException"}, want: "check the table's name"},
		{name: "an outage", fault: awsapi.Fault{Status: 503}, want: "HTTP status 503"},
		{
			name:  "a message with credentials",
			fault: awsapi.Fault{Code: "SomethingNew", Message: "token not-a-real-token-aws-session, key not-a-real-key-aws-secret"},
			want:  "SomethingNew: token [redacted], key [redacted]",
		},
		{name: "no answer", fault: awsapi.Fault{Lost: true}, want: "no connection"},
	} {
		test.fault.Times = -1
		for name, call := range calls {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				cloud := start(t)
				cloud.Misbehave(test.fault)
				err := call(t.Context(), newStore(t, cloud, ledgertest.NewClock().Now))
				wantError(t, err, cloud, "in the DynamoDB table giftstats: ", test.want)
			})
		}
	}
}

// wantError checks the text of an error, and that it shows no credentials.
func wantError(t *testing.T, err error, cloud *awsapi.Server, parts ...string) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in the error %v", part, err)
		}
	}
	for _, variable := range []string{"AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY"} {
		if strings.Contains(text, cloud.Lookup(variable)) {
			t.Errorf("%s is in the error %v", variable, err)
		}
	}
}

// The webhook of a gift has one second in all.
func TestDeadline(t *testing.T) {
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := start(t)
			cloud.Misbehave(awsapi.Fault{Times: -1, Latency: time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			if err := call(ctx, newStore(t, cloud, ledgertest.NewClock().Now)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestThrottledGiftIsRetried(t *testing.T) {
	t.Parallel()
	cloud := start(t)
	cloud.Misbehave(awsapi.Fault{Action: "PutItem", Times: 2, Code: "ThrottlingException"})
	if err := calls["AddGift"](t.Context(), newStore(t, cloud, ledgertest.NewClock().Now)); err != nil {
		t.Error(err)
	}
	if got := cloud.Calls("PutItem"); got != 3 {
		t.Errorf("%d attempts, want 3", got)
	}
}

func TestLedgerIsUnavailable(t *testing.T) {
	t.Parallel()
	cloud := start(t)
	cloud.Misbehave(awsapi.Fault{Times: -1, Code: "InternalServerError", Status: 500})
	clock := ledgertest.NewClock()
	l, err := ledger.New(ledger.Config{Store: newStore(t, cloud, clock.Now), Retention: time.Hour, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	err = l.RecordGift(t.Context(), ledgertest.NewGift("a", "g", 0))
	var failed *giftstats.Error
	if !errors.As(err, &failed) || failed.Code != giftstats.CodeLedgerUnavailable {
		t.Errorf("the error is %v", err)
	}
}

func TestLostAnswerToAGift(t *testing.T) {
	t.Parallel()
	cloud := start(t)
	cloud.Misbehave(awsapi.Fault{Action: "PutItem", Times: 2, Lost: true})
	if err := calls["AddGift"](t.Context(), newStore(t, cloud, ledgertest.NewClock().Now)); err != nil {
		t.Fatal(err)
	}
	if calls, items := cloud.Calls("PutItem"), cloud.Items(table, "gifts#"); calls != 3 || items != 1 {
		t.Errorf("%d calls stored %d gifts, want 3 and 1", calls, items)
	}
}

// Another writer cannot be told from a lost answer. The ledger reads again, and finds that nothing is left to do.
func TestLostAnswerToADeletion(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t), ledgertest.NewClock()
	store := newStore(t, cloud, clock.Now)
	if err := calls["SaveRoom"](t.Context(), store); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.New(ledger.Config{Store: store, Retention: time.Hour, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	cloud.Misbehave(awsapi.Fault{Action: "DeleteItem", Lost: true})
	if err := l.Close(t.Context(), "a", ledgertest.NewRoom("a").Streams[0].ID); err != nil {
		t.Error(err)
	}
	if items := cloud.Items(table, "room#"); items != 0 {
		t.Errorf("%d rooms are stored, want none", items)
	}
}

func TestThrottledBatches(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Rooms", "SaveEnded"} {
		cloud := start(t)
		cloud.LimitBatches(-1)
		err := calls[name](t.Context(), newStore(t, cloud, ledgertest.NewClock().Now))
		wantError(t, err, cloud, "in the DynamoDB table giftstats: ", "of a batch were not processed: the table is throttled")
	}
}

func TestInterruptedSaveEndedIsRepaired(t *testing.T) {
	t.Parallel()
	cloud := start(t)
	store := newStore(t, cloud, ledgertest.NewClock().Now)
	cloud.Misbehave(awsapi.Fault{Action: "BatchWriteItem", Times: -1, Code: "AccessDeniedException"})
	if err := calls["SaveEnded"](t.Context(), store); err == nil {
		t.Fatal("no error although the pointers were not written")
	}
	cloud.Heal()
	if err := calls["SaveEnded"](t.Context(), store); err != nil {
		t.Fatal(err)
	}
	for _, query := range []ledger.Query{{}, {RoomID: "a"}, {Account: "alice"}, {Account: "bob"}} {
		query.From, query.To, query.Limit = everything().From, everything().To, 10
		if found, err := store.ListEnded(t.Context(), query); err != nil || len(found) != 1 {
			t.Errorf("account %q, room %q: %d streams, %v", query.Account, query.RoomID, len(found), err)
		}
	}
}
