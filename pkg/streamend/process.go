package streamend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/problem"
	"github.com/giftstats/giftstats/pkg/telemetry"
)

// Config of a [Processor]. All fields are required.
type Config struct {
	Service  *giftstats.Service
	Deliver  delivery.Deliverer
	WaitIdle func(context.Context) // waits for reads that an invocation must not leave unfinished: secret.Cache.WaitIdle
	Meter    *telemetry.Meter
	Now      func() time.Time
	Logger   *slog.Logger
}

// Processor turns events into delivered summaries. It may be used from several goroutines.
type Processor struct{ config Config }

// NewProcessor makes a Processor.
func NewProcessor(config Config) *Processor { return &Processor{config} }

var errUndelivered = errors.New("deliver")

// Process asks for the numbers and delivers the summary. It returns nil when the summary is delivered; a permanent error when
// no repeat can help; and any other error when the event has to come again.
func (p *Processor) Process(ctx context.Context, event Event) error {
	summary, err := p.summarize(ctx, event)
	if err != nil {
		return fmt.Errorf("event %s: %w", event.EventID, err)
	}
	body, err := json.Marshal(summary)
	if err != nil {
		return permanent.Error(fmt.Errorf("event %s: encode the summary: %w", event.EventID, err))
	}
	err = p.config.Deliver.Deliver(ctx, delivery.Message{ID: event.EventID, Type: SummaryType, At: summary.Timestamp, Body: body})
	switch {
	case permanent.Is(err):
		return permanent.Error(fmt.Errorf("event %s: %w: %w", event.EventID, errUndelivered, err))
	case err != nil:
		return fmt.Errorf("event %s: %w: %w", event.EventID, errUndelivered, err)
	}
	p.config.Logger.InfoContext(ctx, "stream summary delivered", "deliveries", 1, "event_id", event.EventID, "room_id", event.RoomID, "source", event.Source, "complete", summary.Data.Complete)
	return nil
}

// settled are failures that are a result: they will be the same whenever the question is asked again.
var settled = []giftstats.Code{
	giftstats.CodeRoomNotFound, giftstats.CodeAccountNotFound, giftstats.CodeInvalidRequest, giftstats.CodeUpstreamRejected,
}

func isSettled(err error) bool { return slices.Contains(settled, giftstats.AsError(err).Code) }

// summarize collects the numbers. Its error means that they can be had later.
func (p *Processor) summarize(ctx context.Context, event Event) (Summary, error) {
	data := Data{
		EventID: event.EventID, RoomID: event.RoomID, EndedAt: event.EndedAt, Reason: event.Reason, Source: event.Source,
		RoomFrom: FromNone, Accounts: []Earning{},
	}
	accounts, err := p.accounts(ctx, event)
	if err != nil {
		return Summary{}, err
	}
	if err := p.addEarnings(ctx, &data, accounts); err != nil {
		return Summary{}, err
	}
	if err := p.addRoom(ctx, &data, event.RoomTotals); err != nil {
		return Summary{}, err
	}
	data.Complete = data.Room != nil && len(data.Accounts) > 0 && !slices.ContainsFunc(data.Accounts, func(e Earning) bool { return e.Problem != nil })
	return Summary{Type: SummaryType, Timestamp: p.config.Now().UTC().Truncate(time.Millisecond), Data: data}, nil
}

// accounts are those that the event names, or else the owner of the room. Of a dissolved room there may be none.
func (p *Processor) accounts(ctx context.Context, event Event) ([]string, error) {
	if len(event.Accounts) > 0 {
		return event.Accounts, nil
	}
	room, err := p.config.Service.RoomInfo(ctx, event.RoomID)
	switch {
	case err == nil:
		return []string{room.OwnerAccount}, nil
	case isSettled(err):
		return nil, nil
	default:
		return nil, fmt.Errorf("look up the owner of the room: %w", err)
	}
}

func (p *Processor) addEarnings(ctx context.Context, data *Data, accounts []string) error {
	queries := make([]giftstats.Query, len(accounts))
	for i, account := range accounts {
		queries[i] = giftstats.Query{RoomID: data.RoomID, Account: account}
	}
	var failures []error
	for _, result := range p.config.Service.GiftStatsBatch(ctx, queries) {
		earning := Earning{Account: result.Query.Account}
		switch {
		case result.Err == nil:
			earning.Stats = &result.Stats
		case isSettled(result.Err):
			details := problem.Of(result.Err, "")
			earning.Problem = &details
		default:
			failures = append(failures, fmt.Errorf("ask for gift stats: %w", result.Err))
		}
		data.Accounts = append(data.Accounts, earning)
	}
	return errors.Join(failures...)
}

func (p *Processor) addRoom(ctx context.Context, data *Data, brought *giftstats.RoomTotals) error {
	if brought != nil {
		data.Room, data.RoomFrom = brought, FromWebhook
		return nil
	}
	room, err := p.config.Service.RoomStats(ctx, data.RoomID)
	switch {
	case err == nil:
		data.Room, data.RoomFrom = &room.RoomTotals, FromUpstream
		return nil
	case isSettled(err):
		return nil
	default:
		return fmt.Errorf("ask for room stats: %w", err)
	}
}
