package giftstats

import "time"

const (
	paceStep   = 1.0 / 8 // of the full pace; also the slowest pace
	paceStepIn = 2 * time.Second
	// countedFor is how long Tencent counts a call. A call that was sent that soon after a halving is counted with those before it.
	countedFor = time.Second
)

// pace is the part of its rates that a limiter uses. A refusal halves it, and then it recovers in steps: additive increase,
// multiplicative decrease. Several users of one limit who know nothing of each other share it that way, as TCP shares a line.
type pace struct {
	halvedTo float64 // 0 if there was no refusal
	halvedAt time.Time
}

// Refused tells the limiter that Tencent refused a call because there were too many. The call was sent at the given time. All calls
// that were on their way together count as one refusal.
func (l *Limiter) Refused(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pace.refused(sent, time.Now())
}

func (p *pace) refused(sent, now time.Time) {
	if p.halvedTo > 0 && sent.Sub(p.halvedAt) <= countedFor {
		return
	}
	p.halvedTo, p.halvedAt = max(p.part(now)/2, paceStep), now
}

// part returns the part of the full pace that is allowed, at most 1.
func (p *pace) part(now time.Time) float64 {
	if p.halvedTo == 0 {
		return 1
	}
	return min(p.halvedTo+paceStep*float64(now.Sub(p.halvedAt)/paceStepIn), 1)
}

// stretch returns how far apart calls are that are so far apart at full pace.
func (p *pace) stretch(apart time.Duration, now time.Time) time.Duration {
	return time.Duration(float64(apart) / p.part(now))
}
