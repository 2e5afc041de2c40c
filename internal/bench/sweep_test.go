package bench

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/giftstats/giftstats/internal/fakes/awsapi"
	"github.com/giftstats/giftstats/internal/fakes/lambdaruntime"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/dynamodb"
	"github.com/giftstats/giftstats/pkg/simulator"
)

const (
	sweptRooms = 1000
	sweepRate  = 20 // GIFTSTATS_RATE_LIMIT
	toTable    = 5 * time.Millisecond
)

// BenchmarkSweep measures a sweep over 1,000 live rooms: one in which all rooms are known, and one that also reads the list of rooms,
// as every fifth does. Both run at the same time, since each takes nearly a minute and needs little of the machine.
func BenchmarkSweep(b *testing.B) {
	once(b, func() {
		binary := build.Program(b, build.Functions+"aws/streamend", "lambda.norpc")
		known, listed := newSweeping(b, binary), newSweeping(b, binary)
		if _, err := known.ledger.Lease(b.Context(), "list", "another sweep", time.Now().Add(4*time.Minute)); err != nil {
			b.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(func() { known.sweep(b) })
		both.Go(func() { listed.sweep(b) })
		both.Wait()
		known.add(b, "sweep of 1,000 rooms at 20/s")
		listed.add(b, "sweep that lists the rooms, too")
	})
}

// sweeping is a function that sweeps.
type sweeping struct {
	engine   *simulator.Engine
	ledger   *ledger.Ledger
	function *lambdaruntime.Runtime
	took     time.Duration
}

func newSweeping(b *testing.B, binary string) *sweeping {
	engine, upstream := fixture.Engine(b, func(c *simulator.Config) { c.Limits = simulator.DocumentedLimits() })
	engine.Misbehave(simulator.Fault{Times: -1, Latency: 50 * time.Millisecond})
	cloud := fixture.AWS(b)
	s := &sweeping{engine: engine, ledger: newTable(b, cloud)}
	var group errgroup.Group
	group.SetLimit(16)
	for i := range sweptRooms - 1 { // the fixture has one already
		group.Go(func() error {
			id := "room-" + strconv.Itoa(i)
			if err := engine.CreateRoom(simulator.RoomInfo{RoomID: id, Owner: "host"}); err != nil {
				return err
			}
			return s.observe(b, id, "host")
		})
	}
	group.Go(func() error { return s.observe(b, "room_id", "user1") })
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	cloud.Misbehave(awsapi.Fault{Times: -1, Latency: toTable})
	environment := cloud.Environment()
	maps.Copy(environment, map[string]string{
		"GIFTSTATS_SECRET": "awssecretsmanager://app", "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_LEDGER": "dynamodb://giftstats",
		"GIFTSTATS_RATE_LIMIT": strconv.Itoa(sweepRate),
	})
	config := lambdaruntime.Config{Binary: binary, Environment: environment, Timeout: 2 * time.Minute}
	var err error
	if s.function, err = lambdaruntime.Start(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.function.Close)
	return s
}

// newTable creates the table of a ledger, and returns the ledger.
func newTable(b *testing.B, cloud *awsapi.Server) *ledger.Ledger {
	cloud.CreateTable("giftstats", map[string]string{"open": "open"})
	store, err := dynamodb.New(dynamodb.Config{Table: "giftstats", Environment: awsenv.New(cloud.Lookup), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	return newLedger(b, store)
}

func newLedger(b *testing.B, store ledger.Store) *ledger.Ledger {
	l, err := ledger.New(ledger.Config{Store: store, Retention: time.Hour, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// observe records what the webhook of a new room tells.
func (s *sweeping) observe(b *testing.B, id, owner string) error {
	room, err := s.engine.Room(id)
	if err != nil {
		return err
	}
	return s.ledger.Observe(b.Context(), ledger.Sighting{
		RoomID: id, At: time.Now(), StartedAt: room.CreatedAt.Truncate(time.Second), Opens: true, Confirmed: true, Owner: owner,
	})
}

func (s *sweeping) sweep(b *testing.B) {
	started := time.Now()
	reply, err := s.function.Invoke(b.Context(), []byte(`{"sweep":true}`))
	s.took = time.Since(started)
	if err != nil || reply.ErrorType != "" {
		b.Errorf("%v: %+v\n%s", err, reply, s.function.Output())
	}
}

// snapshots is in the log line of a sweep.
var snapshots = regexp.MustCompile(`"snapshots":(\d+)`)

func (s *sweeping) add(b *testing.B, what string) {
	table.add(b, what, seconds(s.took), "", "< 60 s", goal(s.took < time.Minute))
	stored := "0"
	if found := snapshots.FindStringSubmatch(s.function.Output()); found != nil {
		stored = found[1]
	}
	table.add(b, "  rooms with new numbers", fmt.Sprintf("%s of %d", stored, sweptRooms), "", "all", goal(stored == strconv.Itoa(sweptRooms)))
	peak := s.engine.Peak("")
	table.add(b, "  most calls in any second", strconv.Itoa(peak), "", "<= 20", goal(peak <= sweepRate))
}
