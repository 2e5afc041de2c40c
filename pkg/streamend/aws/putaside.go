package aws

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The attributes of a dead letter.
const (
	reasonAttribute    = "giftstats_reason"     // why the event can never succeed
	messageIDAttribute = "giftstats_message_id" // the id of the first message with this event
	sentAttribute      = "giftstats_sent_ms"    // when that was sent, in milliseconds since 1970
)

// maxReason is the length of the longest reason in an attribute, in bytes. The log has the whole of it.
const maxReason = 256

// putAside sends a message to the dead-letter queue. Its body stays as it is, so that the event can be sent again from there.
func (f *Function) putAside(ctx context.Context, r record, reason error) error {
	attributes := map[string]string{reasonAttribute: printable(reason.Error()), messageIDAttribute: r.id()}
	if sent := r.sentAt(); !sent.IsZero() {
		attributes[sentAttribute] = strconv.FormatInt(sent.UnixMilli(), 10)
	}
	return f.config.DeadLetters.Send(ctx, r.Body, attributes)
}

// id returns the id of the message, or, if it was a dead letter, that of the message before: SQS gives every message a new id, and an
// event without an id and a time is recognized by that of its message.
func (r record) id() string { return cmp.Or(r.attribute(messageIDAttribute), r.SQSMessage.MessageId) }

// sentAt returns when the message was sent, or, if it was a dead letter, the message before. It is zero if that is not known.
func (r record) sentAt() time.Time {
	ms, err := strconv.ParseInt(cmp.Or(r.attribute(sentAttribute), r.Attributes["SentTimestamp"]), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func (r record) attribute(name string) string {
	if value := r.MessageAttributes[name].StringValue; value != nil {
		return *value
	}
	return ""
}

// printable returns the beginning of a text, on one line. SQS refuses most control characters.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason-len("…")], "") + "…"
	}
	return text
}
