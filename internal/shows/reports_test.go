package shows_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/giftstats/giftstats/pkg/streamend"
)

// end dissolves the room of a show, which other reports than the live webhook may precede or follow.
func (w *world) end(s *show) {
	now := time.Now()
	own := fmt.Sprintf(`{"room_id":%q,"ended_at":%q}`, s.room, now.UTC().Format(time.RFC3339Nano))
	if s.reported == 1 && w.random.chance(0.5) {
		w.report(own, 0)
	}
	dissolved, err := w.engine.DestroyRoom(w.t.Context(), s.room)
	if err != nil {
		w.t.Errorf("%s: %v", s, err)
		return
	}
	s.last = dissolved.Webhook.Status == http.StatusOK
	if s.reported > 0 {
		w.report(own, 0)
	}
	if w.random.chance(0.4) {
		w.report(fmt.Sprintf(`{"room_id":%q}`, s.room), w.backlog())
		s.late++
	}
	if w.random.chance(0.4) {
		later := now.Add(time.Second).UTC().Format(time.RFC3339Nano)
		w.report(fmt.Sprintf(`{"room_id":%q,"ended_at":%q,"source":"trtc"}`, s.room, later), w.backlog())
		s.late++
	}
}

// backlog returns how long a message waits on the queue: the next show in its room may have started, or even ended.
func (w *world) backlog() time.Duration {
	w.random.mu.Lock()
	defer w.random.mu.Unlock()
	return time.Duration(w.random.random.IntN(600)) * time.Second
}

// report puts an event on the queue.
func (w *world) report(body string, delay time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	message := streamend.Message{ID: fmt.Sprint("report ", w.reports), Body: []byte(body), SentAt: time.Now()}
	w.reports++
	w.queue = append(w.queue, queued{message, message.SentAt.Add(delay)})
}
