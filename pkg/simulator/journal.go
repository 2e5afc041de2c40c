package simulator

import (
	"iter"
	"net/url"
	"slices"
	"sync"
	"time"
)

// maxCalls bounds the calls that are remembered.
const maxCalls = 10_000

// Call is one request that reached the engine, right or wrong.
type Call struct {
	Command string     // what follows /v4/live_engine_http_srv/, or the whole path
	Query   url.Values // with the signature
	Body    string
	Code    int // the ErrorCode answered; -1 before the answer, or if a fault replaced the answer
	At      time.Time
}

// Calls returns the last 10,000 requests in order of arrival.
func (e *Engine) Calls() []Call { return e.journal.list() }

// Count returns the number of requests for a command so far, answered or not; "" counts all, including unknown commands.
func (e *Engine) Count(command string) int {
	count, _ := e.journal.tally(command)
	return count
}

// Peak returns the largest number of requests for a command within any period of one second; "" counts all commands.
func (e *Engine) Peak(command string) int {
	_, peak := e.journal.tally(command)
	return peak
}

// journal remembers calls. It keeps them raw and parses them only when they are read.
type journal struct {
	mu      sync.Mutex
	entries []entry // a ring of maxCalls
	started int     // calls so far
	tallies map[string]*tally
}

type entry struct {
	command, query string
	body           []byte
	code           int
	at             time.Time
}

type tally struct {
	count, peak int
	second      window
}

func newJournal(commands iter.Seq[string]) *journal {
	j := &journal{tallies: map[string]*tally{"": {}}}
	for command := range commands {
		j.tallies[command] = &tally{}
	}
	return j
}

// begin records a call and returns its number.
func (j *journal) begin(command, query string, body []byte, now time.Time) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := entry{command: command, query: query, body: body, code: -1, at: now}
	if len(j.entries) < maxCalls {
		j.entries = append(j.entries, e)
	} else {
		j.entries[j.started%maxCalls] = e
	}
	j.tallies[""].add(now)
	if of := j.tallies[command]; of != nil && command != "" {
		of.add(now)
	}
	j.started++
	return j.started - 1
}

func (t *tally) add(now time.Time) {
	t.count++
	t.peak = max(t.peak, t.second.add(now, time.Second))
}

// end records the code of the answer to call n, if the call is still remembered.
func (j *journal) end(n, code int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.started-n <= maxCalls {
		j.entries[n%maxCalls].code = code
	}
}

func (j *journal) list() []Call {
	j.mu.Lock()
	oldest := max(j.started-maxCalls, 0) % maxCalls
	entries := slices.Concat(j.entries[oldest:], j.entries[:oldest])
	j.mu.Unlock()
	calls := make([]Call, len(entries))
	for i, e := range entries {
		query, _ := url.ParseQuery(e.query) // what can be parsed of it
		calls[i] = Call{Command: e.command, Query: query, Body: string(e.body), Code: e.code, At: e.at}
	}
	return calls
}

func (j *journal) tally(command string) (count, peak int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if of := j.tallies[command]; of != nil {
		return of.count, of.peak
	}
	return 0, 0
}
