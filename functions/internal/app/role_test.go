package app_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/settings"
)

func TestEachRoleOpensOnlyItsClients(t *testing.T) {
	const queue, bus = "GIFTSTATS_QUEUE=sqs://127.0.0.1:9/1/ends", "GIFTSTATS_DELIVER=log://,eventbridge://results"
	for _, test := range []struct {
		name      string
		role      app.Role
		variables []string
		opened    []string // schemes of the clients
		processes bool
	}{
		{name: "api with a queue", role: app.API, variables: []string{queue, bus}, opened: []string{"sqs"}},
		{name: "api without a queue", role: app.API, variables: []string{bus}, opened: []string{"eventbridge"}, processes: true},
		{name: "stream end", role: app.StreamEnd, variables: []string{bus}, opened: []string{"eventbridge"}, processes: true},
		{
			name: "stream end with the variables of the api function", role: app.StreamEnd, variables: []string{queue, bus},
			opened: []string{"eventbridge"}, processes: true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var opened []string
			a, err := app.New(config(t, test.role, test.variables, func(location settings.Location) (delivery.Deliverer, error) {
				opened = append(opened, location.Scheme)
				return nowhere{}, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(opened, test.opened) {
				t.Errorf("clients of %v were opened, want %v", opened, test.opened)
			}
			if got := a.Processor != nil; got != test.processes {
				t.Errorf("processes ends of streams: %v, want %v", got, test.processes)
			}
		})
	}
}

func TestUnsupportedReceiver(t *testing.T) {
	for name, open := range map[string]func(settings.Location) (delivery.Deliverer, error){
		"refused by the function":  func(location settings.Location) (delivery.Deliverer, error) { return nil, app.Unsupported(location) },
		"function without clients": nil,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := app.New(config(t, app.API, []string{"GIFTSTATS_DELIVER=eventbridge://results"}, open))
			want := "GIFTSTATS_DELIVER: eventbridge:// is not supported by this function, only by the stream-end function: set GIFTSTATS_QUEUE"
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v, want %q", err, want)
			}
		})
	}
}

func TestOnlyTheStreamEndFunctionHasDeadLetters(t *testing.T) {
	dead := []string{"GIFTSTATS_DEAD_LETTERS=sqs://127.0.0.1:9/1/dead", "GIFTSTATS_QUEUE=sqs://127.0.0.1:9/1/ends"}
	open := func(settings.Location) (delivery.Deliverer, error) { return nowhere{}, nil }
	_, err := app.New(config(t, app.API, dead, open))
	want := "GIFTSTATS_DEAD_LETTERS must be empty for this function: only the stream-end function sends dead letters"
	if err == nil || err.Error() != want {
		t.Errorf("api: the error is %v, want %q", err, want)
	}
	if _, err := app.New(config(t, app.StreamEnd, dead, open)); err != nil {
		t.Errorf("stream end: %v", err)
	}
}

func TestNewChecksItsConfig(t *testing.T) {
	if _, err := app.New(app.Config{}); err == nil {
		t.Error("an empty Config is accepted")
	}
}

func config(t *testing.T, role app.Role, variables []string, open func(settings.Location) (delivery.Deliverer, error)) app.Config {
	t.Helper()
	s, err := settings.Parse(append(variables, "GIFTSTATS_SECRET=env://NOT_USED", "GIFTSTATS_ENDPOINT=singapore"), settings.AWS)
	if err != nil {
		t.Fatal(err)
	}
	return app.Config{Role: role, Settings: s, Store: &store{}, Open: open, Log: io.Discard, Level: slog.LevelInfo}
}

// nowhere accepts every message.
type nowhere struct{}

func (nowhere) Deliver(context.Context, delivery.Message) error { return nil }
