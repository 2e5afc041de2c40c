package aws

import (
	"cmp"
	"context"
	"strings"
	"unicode"
)

// The attributes of a dead letter.
const (
	reasonAttribute    = "giftstats_reason"     // why the event can never succeed
	messageIDAttribute = "giftstats_message_id" // the id of the first message with this event
)

// maxReason is the length of the longest reason in an attribute, in bytes. The log has the whole of it.
const maxReason = 256

// putAside sends a message to the dead-letter queue. Its body stays as it is, so that the event can be sent again from there.
func (f *Function) putAside(ctx context.Context, r record, reason error) error {
	return f.config.DeadLetters.Send(ctx, r.Body, map[string]string{
		reasonAttribute: printable(reason.Error()), messageIDAttribute: r.id(),
	})
}

// id returns the id of the message, or, if it was a dead letter, that of the message before: SQS gives every message a new id, and an
// event without an id and a time is recognized by that of its message.
func (r record) id() string {
	if first, ok := r.MessageAttributes[messageIDAttribute]; ok && first.StringValue != nil {
		return cmp.Or(*first.StringValue, r.SQSMessage.MessageId)
	}
	return r.SQSMessage.MessageId
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
