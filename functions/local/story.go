package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// tell shows what the product does: requests, their answers, and the commands to go on with.
func (s *server) tell(ctx context.Context, out io.Writer) error {
	if s.demo == nil {
		return s.tellReal(ctx, out)
	}
	sig, err := s.demo.userSig(demoHost)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "A simulated live engine with a show: room %q, host %q, guest %q, gifts from three viewers.\n\n", demoRoom, demoHost, demoGuest)
	fmt.Fprint(out, "What did the host earn in this room?\n\n")
	if err := s.show(ctx, out, "/v1/gift-stats?room_id="+demoRoom+"&account="+demoHost, http.StatusOK); err != nil {
		return err
	}
	fmt.Fprint(out, "And in a room that does not exist?\n\n")
	if err := s.show(ctx, out, "/v1/gift-stats?room_id=no-such-room&account="+demoHost, http.StatusNotFound); err != nil {
		return err
	}
	if err := s.endStream(ctx, out); err != nil {
		return err
	}
	fmt.Fprintf(out, `Go on with (key and UserSig are the simulator's, made for this run):

  KEY=%[2]s
  curl -H "Authorization: Bearer $KEY" '%[1]s/v1/gift-stats?room_id=%[3]s&account=%[5]s'
  curl -H "Authorization: Bearer $KEY" '%[1]s/v1/room-stats?room_id=%[3]s'
  curl -H "Authorization: Bearer $KEY" '%[1]s/v1/gift-stats' -H 'Content-Type: application/json' \
    -d '{"queries":[{"room_id":"%[3]s","account":"%[4]s"},{"room_id":"%[3]s","account":"%[5]s"}]}'
  curl -u '%[4]s:%[6]s' '%[1]s/v1/gift-stats?room_id=%[3]s'
  curl %[1]s/openapi.json

`, s.url+s.settings.BasePath, s.demo.apiKey, demoRoom, demoHost, demoGuest, sig)
	return nil
}

// show makes one request and prints it with its answer.
func (s *server) show(ctx context.Context, out io.Writer, path string, want int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+s.settings.BasePath+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.demo.apiKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  GET %s\n\n  %s\n", path, response.Status)
	if response.StatusCode != want {
		return fmt.Errorf("the answer has status %d, expected %d: %s", response.StatusCode, want, body)
	}
	return indent(out, body)
}

// endStream dissolves a room in the simulator, and shows the summary that comes of it.
func (s *server) endStream(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	fmt.Fprintf(out, "The stream in room %q ends: the room is dissolved, and Tencent's webhook arrives.\n\n", endedRoom)
	dissolved, err := s.demo.engine.DestroyRoom(ctx, endedRoom)
	if err != nil {
		return err
	}
	if hook := dissolved.Webhook; hook == nil || hook.Err != nil || hook.Status != http.StatusOK {
		return fmt.Errorf("the webhook was not taken: %+v", hook)
	}
	fmt.Fprintf(out, "  POST /v1/webhooks/live?…&CallbackCommand=Live.CallbackAfterDestroyRoom&…\n\n  200 OK  %s\n\n", dissolved.Webhook.Body)
	select {
	case summary := <-s.demo.customer.received:
		fmt.Fprintf(out, "Its signature was verified, the summary computed and delivered. The receiver verified it, too:\n\n  webhook-id: %s\n", summary.id)
		if err := indent(out, summary.body); err != nil {
			return err
		}
		fmt.Fprintf(out, "A dissolved room no longer tells what its host earned; the README says how to have that, too.\n\n")
		return nil
	case <-ctx.Done():
		return errors.New("the summary was not delivered")
	}
}

// indent prints JSON.
func indent(out io.Writer, text []byte) error {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, bytes.TrimSpace(text), "  ", "  "); err != nil {
		return fmt.Errorf("the answer is no JSON: %w", err)
	}
	_, err := fmt.Fprintf(out, "  %s\n\n", &pretty)
	return err
}

// tellReal says how to ask about a real app, when its secret can be read.
func (s *server) tellReal(ctx context.Context, out io.Writer) error {
	document, err := s.app.Secrets.Get(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The app %d at %s, with %d api keys.\n\n", document.SDKAppID, s.settings.Endpoint, len(document.APIKeys))
	fmt.Fprintf(out, "Ask with the api key whose SHA-256 stands in the secret document:\n\n  curl -H \"Authorization: Bearer $KEY\" '%s/v1/gift-stats?room_id=ROOM&account=HOST'\n\n", s.url)
	return nil
}
