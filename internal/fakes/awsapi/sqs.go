package awsapi

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxMessage is the size of the largest message, in bytes.
const maxMessage = 1 << 20

// Message is a message that was sent to SQS.
type Message struct {
	MessageID       string `json:"-"` // from the answer of SQS
	QueueURL        string `json:"QueueUrl"`
	Body            string `json:"MessageBody"`
	DelaySeconds    int
	GroupID         string                     `json:"MessageGroupId"`
	DeduplicationID string                     `json:"MessageDeduplicationId"`
	Attributes      map[string]json.RawMessage `json:"MessageAttributes"`
}

// Messages returns the messages of all queues, in order of arrival.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// QueueURL is the URL of the queue with the given name. Every queue of the account exists.
func (s *Server) QueueURL(name string) string { return s.URL + "/" + account + "/" + name }

func (s *Server) sendMessage(body []byte) (any, *failure) {
	var message Message
	if failed := decode(body, &message); failed != nil {
		return nil, failed
	}
	queue, err := url.Parse(message.QueueURL)
	switch {
	case err != nil || !strings.HasPrefix(queue.Path, "/"+account+"/") || strings.Count(queue.Path, "/") != 2:
		return nil, &failure{
			status: 400, code: "com.amazonaws.sqs#QueueDoesNotExist", message: "The specified queue does not exist.",
			query: "AWS.SimpleQueueService.NonExistentQueue",
		}
	case message.Body == "":
		return nil, missing("MessageBody")
	case len(message.Body) > maxMessage:
		return nil, &failure{
			status: 400, code: "com.amazon.coral.service#InvalidParameterValueException", query: "InvalidParameterValue",
			message: fmt.Sprintf("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxMessage),
		}
	case strings.HasSuffix(queue.Path, ".fifo") && message.GroupID == "":
		return nil, missing("MessageGroupId")
	}
	message.MessageID = fmt.Sprintf("00000000-0000-4000-a000-%012d", len(s.messages)+1)
	s.messages = append(s.messages, message)
	sum := md5.Sum([]byte(message.Body)) // clients compare it
	return map[string]string{"MessageId": message.MessageID, "MD5OfMessageBody": hex.EncodeToString(sum[:])}, nil
}

func missing(parameter string) *failure {
	return &failure{
		status: 400, code: "com.amazon.coral.service#MissingRequiredParameterException", query: "MissingParameter",
		message: "The request must contain the parameter " + parameter + ".",
	}
}
