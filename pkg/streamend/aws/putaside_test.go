package aws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/giftstats/giftstats/internal/testkit/streamendtest"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/ledger"
	"github.com/giftstats/giftstats/pkg/ledger/memory"
	"github.com/giftstats/giftstats/pkg/permanent"
	"github.com/giftstats/giftstats/pkg/streamend"
	"github.com/giftstats/giftstats/pkg/streamend/aws"
)

var (
	errDown    = errors.New("hooks.example answered with 503 Service Unavailable")
	errRefused = permanent.Error(errors.New("hooks.example answered with 410 Gone"))
)

// message is a message of SQS.
type message struct {
	id, body   string
	attributes map[string]string
	sent       string // in milliseconds since 1970
	queue      string // the ARN of the queue that it came from
}

// record returns the message as Lambda shows it.
func (m message) record() map[string]any {
	attributes := map[string]any{}
	for name, value := range m.attributes {
		attributes[name] = map[string]any{"dataType": "String", "stringValue": value}
	}
	r := record(m.id, m.body)
	r["messageAttributes"], r["attributes"] = attributes, map[string]string{"SentTimestamp": m.sent}
	r["eventSourceARN"] = m.queue
	return r
}

// deadLetters is a dead-letter queue.
type deadLetters struct {
	mu      sync.Mutex
	letters []message
	err     error
}

// Send keeps a message, or fails if err is set.
func (d *deadLetters) Send(_ context.Context, body string, attributes map[string]string) error {
	if d.err != nil {
		return d.err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.letters = append(d.letters, message{id: fmt.Sprint("letter ", len(d.letters)), body: body, attributes: attributes})
	return nil
}

const deadARN = "arn:aws:sqs:eu-west-1:123456789012:dead"

func (d *deadLetters) Is(arn string) bool { return arn == deadARN }

// receiver fails with err, or keeps the ids of the summaries.
type receiver struct {
	streamendtest.Recorder
	asked atomic.Int64
	err   error
}

func (r *receiver) Deliver(ctx context.Context, m delivery.Message) error {
	r.asked.Add(1)
	if r.err != nil {
		return r.err
	}
	return r.Recorder.Deliver(ctx, m)
}

// process invokes a function with messages, and returns the ids of those that it reports as failed.
func process(t *testing.T, processor *streamend.Processor, dead aws.Queue, messages ...message) []string {
	t.Helper()
	function, err := aws.New(aws.Config{Processor: processor, DeadLetters: dead})
	if err != nil {
		t.Fatal(err)
	}
	var batch struct{ Records []any }
	for _, m := range messages {
		batch.Records = append(batch.Records, m.record())
	}
	payload, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	response, err := function.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, failure := range answer.Failures {
		failed = append(failed, failure.ID)
	}
	return failed
}

// A message that can never succeed was delivered ten times before SQS moved it.
func TestPoisonIsPutAsideAtOnce(t *testing.T) {
	recorder, dead := &streamendtest.Recorder{}, &deadLetters{}
	poison := message{id: "poison", body: "not JSON \u2028 <é> \x09"}
	failed := process(t, streamendtest.Delivering(t, recorder), dead,
		message{id: "good", body: `{"event_id":"e-1","room_id":"r","accounts":["a"]}`},
		message{id: "down", body: `{"event_id":"e-2","room_id":"r","accounts":["down"]}`},
		poison,
	)
	if !slices.Equal(failed, []string{"down"}) {
		t.Errorf("reported as failed: %q, want only down", failed)
	}
	if got := recorder.IDs(); got != "e-1" {
		t.Errorf("delivered %q, want e-1", got)
	}
	if len(dead.letters) != 1 || dead.letters[0].body != poison.body {
		t.Fatalf("the dead letters are %q, want only the poison, unchanged", dead.letters)
	}
	want := map[string]string{"giftstats_message_id": "poison", "giftstats_reason": "invalid_request: the event must be a JSON object"}
	for name, value := range want {
		if got := dead.letters[0].attributes[name]; got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
}

// A function that also reads the dead-letter queue would put the same message into it again and again.
func TestDeadLetterIsNotPutAsideAgain(t *testing.T) {
	dead := &deadLetters{}
	failed := process(t, streamendtest.Delivering(t, &streamendtest.Recorder{}), dead, message{id: "letter", body: "not JSON", queue: deadARN})
	if !slices.Equal(failed, []string{"letter"}) {
		t.Errorf("reported as failed: %q, want only the letter", failed)
	}
	if len(dead.letters) != 0 {
		t.Errorf("%d dead letters were sent, want none", len(dead.letters))
	}
}

// A receiver that refuses permanently was asked ten times before. An event is put aside only if nothing else can be done for it.
func TestEventIsPutAsideIfOnlyRefusalsAreLeft(t *testing.T) {
	for _, test := range []struct {
		name          string
		one, two      error
		failed, aside bool
	}{
		{name: "both accept"},
		{name: "one refuses, the other accepts", one: errRefused, aside: true},
		{name: "both refuse", one: errRefused, two: errRefused, aside: true},
		{name: "one refuses, the other is down", one: errRefused, two: errDown, failed: true},
		{name: "one is down, the other accepts", one: errDown, failed: true},
	} {
		for _, remembers := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, ledger %v", test.name, remembers), func(t *testing.T) {
				one, two, dead := &receiver{err: test.one}, &receiver{err: test.two}, &deadLetters{}
				processor := streamendtest.Remembering(t, remembering(t, remembers), one, two)
				event := message{id: "m", body: `{"event_id":"e-1","room_id":"r","accounts":["a"]}`}
				failed := process(t, processor, dead, event)
				if got := len(failed) == 1; got != test.failed {
					t.Errorf("reported as failed: %v, want %v", got, test.failed)
				}
				if got := len(dead.letters) == 1; got != test.aside {
					t.Fatalf("put aside: %v, want %v", got, test.aside)
				}
				if !test.aside {
					return
				}
				if dead.letters[0].body != event.body {
					t.Errorf("the dead letter is %s, want %s", dead.letters[0].body, event.body)
				}
				if reason := dead.letters[0].attributes["giftstats_reason"]; !strings.Contains(reason, "410 Gone") {
					t.Errorf("the reason %q does not contain the receiver's answer", reason)
				}
			})
		}
	}
}

// When the receiver is repaired, the dead letter is moved back. A receiver that took the summary is not sent it again.
func TestDeadLetterThatIsMovedBackGoesToTheReceiverThatRefused(t *testing.T) {
	one, two, dead := &receiver{err: errRefused}, &receiver{}, &deadLetters{}
	l := remembering(t, true)
	process(t, streamendtest.Remembering(t, l, one, two), dead, message{id: "m", body: `{"event_id":"e-1","room_id":"r"}`})
	one.err = nil
	if failed := process(t, streamendtest.Remembering(t, l, one, two), dead, dead.letters...); len(failed) != 0 {
		t.Errorf("reported as failed: %q", failed)
	}
	if got := one.IDs(); got != "e-1" {
		t.Errorf("the repaired receiver has %q, want e-1", got)
	}
	if asked := two.asked.Load(); asked != 1 {
		t.Errorf("the other receiver was sent the summary %d times, want 1", asked)
	}
	if len(dead.letters) != 1 {
		t.Errorf("%d dead letters, want the first one only", len(dead.letters))
	}
}

// SQS gives a message that is moved back another id, and the event may have none of its own.
func TestDeadLetterThatIsMovedBackKeepsItsID(t *testing.T) {
	one, two, dead := &receiver{err: errRefused}, &receiver{}, &deadLetters{}
	processor := streamendtest.Delivering(t, one, two)
	process(t, processor, dead, message{id: "m", body: `{"room_id":"r","accounts":["a"]}`})
	process(t, processor, dead, dead.letters[0])
	one.err = nil
	process(t, processor, dead, dead.letters[1])
	ids := strings.Fields(two.IDs())
	if len(ids) != 3 || ids[0] != ids[2] || ids[0] != one.IDs() {
		t.Errorf("the receivers have %q and %q, want one id in all", one.IDs(), ids)
	}
}

// SQS gives a message that is moved back another time as well. An event without one is about the show that was live when it was sent.
func TestDeadLetterThatIsMovedBackKeepsItsTime(t *testing.T) {
	one, dead := &receiver{err: errRefused}, &deadLetters{}
	l := remembering(t, true)
	sent := time.Now().Add(-48 * time.Hour).Truncate(time.Millisecond)
	event := message{id: "m", body: `{"room_id":"r","accounts":["a"]}`, sent: fmt.Sprint(sent.UnixMilli())}
	process(t, streamendtest.Remembering(t, l, one), dead, event)
	letter := dead.letters[0]
	letter.sent = fmt.Sprint(time.Now().UnixMilli())
	other := remembering(t, true) // one that does not recognize the event
	one.err = nil
	process(t, streamendtest.Remembering(t, other, one), dead, letter)
	for name, known := range map[string]*ledger.Ledger{"event": l, "dead letter": other} {
		ended, err := known.LastEnded(t.Context(), "r")
		if err != nil || ended == nil {
			t.Fatalf("the %s has ended %v, %v", name, ended, err)
		}
		if !ended.EndedAt.Equal(sent) {
			t.Errorf("the %s ended its show at %v, want %v", name, ended.EndedAt, sent)
		}
	}
}

func TestMessageIsReportedIfItCannotBePutAside(t *testing.T) {
	dead := &deadLetters{err: errors.New("AccessDenied")}
	poison := message{id: "poison", body: "not JSON"}
	if failed := process(t, streamendtest.Delivering(t, &receiver{}), dead, poison); !slices.Equal(failed, []string{"poison"}) {
		t.Errorf("reported as failed: %q, want poison: it would be lost", failed)
	}
	if failed := process(t, streamendtest.Delivering(t, &receiver{}), nil, poison); !slices.Equal(failed, []string{"poison"}) {
		t.Errorf("without a dead-letter queue of our own, reported as failed: %q, want poison", failed)
	}
}

// SQS refuses most control characters in an attribute, and every byte of it counts as part of the message.
func TestReasonOfADeadLetterIsShortAndPrintable(t *testing.T) {
	long := permanent.Error(errors.New("\x00\x1b[31m" + strings.Repeat("ß", 300)))
	one, two, dead := &receiver{err: long}, &receiver{err: errRefused}, &deadLetters{}
	process(t, streamendtest.Delivering(t, one, two), dead, message{id: "m", body: `{"room_id":"r","accounts":["a"]}`})
	if len(dead.letters) != 1 {
		t.Fatalf("%d dead letters, want 1", len(dead.letters))
	}
	reason := dead.letters[0].attributes["giftstats_reason"]
	if len(reason) > 256 || !strings.HasSuffix(reason, "ß…") {
		t.Errorf("the reason has %d bytes: %q, want at most 256 and whole characters", len(reason), reason)
	}
	if strings.ContainsFunc(reason, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("the reason has characters that SQS may refuse: %q", reason)
	}
}

// Only messages of SQS are put aside: for other events Lambda has a dead-letter queue itself.
func TestOtherEventsAreNotPutAside(t *testing.T) {
	for name, payload := range map[string]string{
		"direct":      `{}`,
		"EventBridge": `{"detail-type":"x","id":"1","detail":{}}`,
		"SNS":         `{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"1","Message":"x"}}]}`,
	} {
		dead := &deadLetters{}
		function, err := aws.New(aws.Config{Processor: streamendtest.Delivering(t, &receiver{}), DeadLetters: dead})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := function.Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("%s: the invocation succeeded", name)
		}
		if len(dead.letters) != 0 {
			t.Errorf("%s: put aside %q", name, dead.letters)
		}
	}
}

// Receivers and the dead-letter queue fail at random. Whatever happens, an event leaves the queue only if every receiver has its summary
// or if it is among the dead letters. With a ledger, no receiver gets a summary twice, also from dead letters that are moved back.
func TestNoEventIsLostBetweenQueueAndDeadLetters(t *testing.T) {
	for _, remembers := range []bool{false, true} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("ledger %v, seed %d", remembers, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { playQueue(t, remembers, rand.New(rand.NewPCG(seed, 1))) })
			})
		}
	}
}

func playQueue(t *testing.T, remembers bool, random *rand.Rand) {
	t.Helper()
	const events = 10
	errs := []error{nil, nil, errDown, errRefused}
	one, two, dead := &receiver{}, &receiver{}, &deadLetters{}
	processor := streamendtest.Remembering(t, remembering(t, remembers), one, two)
	var queue []message
	for i := range events {
		queue = append(queue, message{id: fmt.Sprint("m-", i), body: fmt.Sprintf(`{"event_id":"e-%d","room_id":"r-%d","accounts":["a"]}`, i, i)})
	}
	for turn := 0; len(queue) > 0; turn++ {
		if turn > 500 {
			t.Fatalf("%d events are left after %d turns", len(queue), turn)
		}
		one.err, two.err, dead.err = errs[random.IntN(len(errs))], errs[random.IntN(len(errs))], errs[random.IntN(3)]
		i := random.IntN(len(queue))
		letters := len(dead.letters)
		failed := process(t, processor, dead, queue[i])
		aside, left := len(dead.letters) > letters, len(failed) == 0
		id := strings.TrimPrefix(queue[i].body, `{"event_id":"`)[:len("e-0")]
		everywhere := strings.Contains(one.IDs(), id) && strings.Contains(two.IDs(), id)
		if left && !aside && !everywhere {
			t.Fatalf("turn %d: %s has left the queue and is lost", turn, id)
		}
		if aside && !left {
			t.Errorf("turn %d: %s is a dead letter, and on the queue", turn, id)
		}
		if left {
			queue = slices.Delete(queue, i, i+1)
		}
		if random.IntN(4) == 0 { // somebody moves the dead letters back
			queue, dead.letters = append(queue, dead.letters...), nil
		}
	}
	one.err, two.err = nil, nil
	if len(dead.letters) > 0 {
		process(t, processor, dead, dead.letters...)
	}
	for name, r := range map[string]*receiver{"one": one, "two": two} {
		ids := strings.Fields(r.IDs())
		if distinct := len(slices.Compact(slices.Clone(ids))); distinct != events || remembers && len(ids) != events {
			t.Errorf("receiver %s has %d summaries of %d events, want all %d", name, len(ids), distinct, events)
		}
	}
}

// remembering returns a ledger, or nil.
func remembering(t *testing.T, remembers bool) *ledger.Ledger {
	t.Helper()
	if !remembers {
		return nil
	}
	l, err := ledger.New(ledger.Config{Store: memory.New(time.Now), Retention: 24 * time.Hour, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
