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

// tell prints what the product does: requests, their responses, and commands to try next.
func (s *server) tell(ctx context.Context, out io.Writer) error {
	if s.demo == nil {
		return s.tellReal(ctx, out)
	}
	sig, err := s.demo.userSig(demoHost)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "A simulated live engine with a show: room %q, host %q, guest %q, gifts from three viewers.\n\n",
		demoRoom, demoHost, demoGuest)
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

// show sends one request and prints it with its response.
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

// endStream dissolves a room in the simulator, and prints the summary that is delivered.
func (s *server) endStream(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	fmt.Fprintf(out, "The stream in room %q ends: the room is dissolved, and Tencent's webhook arrives.\n\n", endedRoom)
	dissolved, err := s.demo.engine.DestroyRoom(ctx, endedRoom)
	if err != nil {
		return err
	}
	if hook := dissolved.Webhook; hook == nil || hook.Err != nil || hook.Status != http.StatusOK {
		return fmt.Errorf("the webhook was not accepted: %+v", hook)
	}
	fmt.Fprintf(out, "  POST /v1/webhooks/live?…&CallbackCommand=Live.CallbackAfterDestroyRoom&…\n\n  200 OK  %s\n\n",
		dissolved.Webhook.Body)
	select {
	case summary := <-s.demo.customer.received:
		fmt.Fprint(out, "giftstats verified its signature, then computed and delivered the summary. The receiver verified the summary, too:\n\n")
		fmt.Fprintf(out, "  webhook-id: %s\n", summary.id)
		if err := indent(out, summary.body); err != nil {
			return err
		}
		fmt.Fprintf(out, "A dissolved room no longer reports what its host earned; the README explains how to get these numbers, too.\n\n")
		return nil
	case <-ctx.Done():
		return errors.New("the summary was not delivered")
	}
}

// indent prints JSON with indentation.
func indent(out io.Writer, text []byte) error {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, bytes.TrimSpace(text), "  ", "  "); err != nil {
		return fmt.Errorf("the answer is not valid JSON: %w", err)
	}
	_, err := fmt.Fprintf(out, "  %s\n\n", &pretty)
	return err
}

// tellReal prints how to query a real app. It fails if the app's secret cannot be read.
func (s *server) tellReal(ctx context.Context, out io.Writer) error {
	document, err := s.app.Secrets.Get(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The app %d at %s, with %d api keys.\n\n", document.SDKAppID, s.settings.Endpoint, len(document.APIKeys))
	fmt.Fprint(out, "Use an api key whose SHA-256 is in the secret document:\n\n")
	fmt.Fprintf(out, "  curl -H \"Authorization: Bearer $KEY\" '%s/v1/gift-stats?room_id=ROOM&account=HOST'\n\n", s.url)
	return nil
}
