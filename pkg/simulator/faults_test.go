package simulator_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

// serve puts the engine on a real listener and returns a way to ask it for stats.
func (a *app) serve(t *testing.T, start func(*httptest.Server)) (ask func() (*http.Response, string, error)) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", a)
	server := httptest.NewUnstartedServer(mux)
	start(server)
	t.Cleanup(server.Close)
	target := server.URL + "/v4/live_engine_http_srv/get_room_stats?" + a.query(a.sig).Encode()
	return func() (*http.Response, string, error) {
		response, err := server.Client().Post(target, "application/json", strings.NewReader(`{"RoomId":"room_id"}`))
		if err != nil {
			return nil, "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response, string(body), err
	}
}

func TestFaultsAsAClientSeesThem(t *testing.T) {
	a := newApp(t, unlimited).withRoom(t)
	ask := a.serve(t, (*httptest.Server).Start)
	_, usual, err := ask()
	must(t, err)
	for _, test := range []struct {
		name    string
		fault   simulator.Fault
		status  int
		header  string // Content-Type, Retry-After
		body    string // part of it
		code    int
		failure error
	}{
		{
			name:   "code",
			fault:  simulator.Fault{Code: 100001, Info: "try again"},
			status: 200,
			header: "application/json ",
			body:   `"ActionStatus":"FAIL","ErrorInfo":"try again","ErrorCode":100001,"RequestId":"Id-`,
			code:   100001,
		},
		{
			name:   "code with status",
			fault:  simulator.Fault{Code: 60007, Status: 429, Header: http.Header{"Retry-After": {"7"}}},
			status: 429,
			header: "application/json 7",
			body:   `"ErrorCode":60007`,
			code:   60007,
		},
		{
			name:   "status",
			fault:  simulator.Fault{Status: 502},
			status: 502,
			header: "text/plain; charset=utf-8 ",
			body:   "502 Bad Gateway\n",
			code:   -1,
		},
		{
			name:   "status with header",
			fault:  simulator.Fault{Status: 503, Header: http.Header{"Retry-After": {"3"}}},
			status: 503,
			header: "text/plain; charset=utf-8 3",
			body:   "503 Service Unavailable\n",
			code:   -1,
		},
		{
			name:   "body",
			fault:  simulator.Fault{Body: []byte("<html>")},
			status: 200,
			header: "application/json ",
			body:   "<html>",
			code:   -1,
		},
		{name: "empty body", fault: simulator.Fault{Body: []byte{}}, status: 200, header: "application/json ", code: -1},
		{
			name:   "body with status and type",
			fault:  simulator.Fault{Body: []byte("<html>"), Status: 500, Header: http.Header{"Content-Type": {"text/html"}}},
			status: 500,
			header: "text/html ",
			body:   "<html>",
			code:   -1,
		},
		{
			name:   "header alone",
			fault:  simulator.Fault{Header: http.Header{"Retry-After": {"1"}}},
			status: 200,
			header: "application/json 1",
			body:   `"ErrorCode":0`,
		},
		{
			name:   "status 200 alone",
			fault:  simulator.Fault{Status: 200},
			status: 200,
			header: "application/json ",
			body:   `"ErrorCode":0`,
		},
		{name: "latency", fault: simulator.Fault{Latency: 1}, status: 200, header: "application/json ", body: `"ErrorCode":0`},
		{
			name:    "cut",
			fault:   simulator.Fault{CutBody: true},
			status:  200,
			header:  "application/json ",
			body:    `{"ActionStatus":"OK"`,
			failure: io.ErrUnexpectedEOF,
		},
		{
			name:    "cut body",
			fault:   simulator.Fault{CutBody: true, Body: []byte("abcdef")},
			status:  200,
			header:  "application/json ",
			body:    "abc",
			code:    -1,
			failure: io.ErrUnexpectedEOF,
		},
		{name: "reset", fault: simulator.Fault{Reset: true}, code: -1, failure: syscall.ECONNRESET},
	} {
		t.Run(test.name, func(t *testing.T) {
			a.Misbehave(test.fault)
			response, body, err := ask()
			if !errors.Is(err, test.failure) {
				t.Fatalf("error %v, want %v", err, test.failure)
			}
			if response != nil {
				header := response.Header.Get("Content-Type") + " " + response.Header.Get("Retry-After")
				if response.StatusCode != test.status {
					t.Errorf("status %d, want %d", response.StatusCode, test.status)
				}
				if header != test.header {
					t.Errorf("header %q, want %q", header, test.header)
				}
				if !contains(body, test.body) || test.body == "" && body != "" {
					t.Errorf("body %q, want %q", body, test.body)
				}
			} else if test.status != 0 {
				t.Error("no answer")
			}
			if test.fault.CutBody && response != nil && int64(len(body)) != response.ContentLength/2 {
				t.Errorf("%d of %d bytes, want half", len(body), response.ContentLength)
			}
			if calls := a.Calls(); calls[len(calls)-1].Code != test.code {
				t.Errorf("the call has code %d, want %d", calls[len(calls)-1].Code, test.code)
			}
			if _, body, err := ask(); err != nil || len(body) < len(usual)-2 {
				t.Errorf("after the fault: %q, %v", body, err)
			}
		})
	}
}

func TestResetOverTLSAndHTTP2(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP/2 ", http2), func(t *testing.T) {
			a := newApp(t, unlimited).withRoom(t)
			ask := a.serve(t, func(s *httptest.Server) {
				s.EnableHTTP2 = http2
				s.TLS = &tls.Config{}
				s.StartTLS()
			})
			response, _, err := ask()
			must(t, err)
			if (response.ProtoMajor == 2) != http2 {
				t.Fatalf("the connection speaks %s", response.Proto)
			}
			a.Misbehave(simulator.Fault{Reset: true})
			if _, _, err := ask(); err == nil || !http2 && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("error %v, want a reset", err)
			}
			a.Misbehave(simulator.Fault{CutBody: true})
			if _, body, err := ask(); err == nil || !contains(body, "OK") {
				t.Errorf("%q, %v; want half of the answer", body, err)
			}
			if _, _, err := ask(); err != nil {
				t.Errorf("after the faults: %v", err)
			}
		})
	}
}

func TestFaultsQueue(t *testing.T) {
	a := newApp(t, unlimited).withRoom(t)
	codes := func(n int) string {
		var list []string
		for range n {
			list = append(list, fmt.Sprint(a.call(t, "get_room_stats", `{"RoomId":"room_id"}`).ErrorCode))
		}
		return strings.Join(list, " ")
	}
	a.Misbehave(simulator.Fault{Command: "get_room_stats", Code: 1, Skip: 1, Times: 2})
	a.Misbehave(simulator.Fault{Command: "get_gift_count", Code: 2, Times: -1})
	a.Misbehave(simulator.Fault{Code: 3})
	a.Misbehave(simulator.Fault{Command: "get_room_stats", Code: 4, Skip: 2})
	if got, want := codes(8), "0 1 1 3 0 0 4 0"; got != want {
		t.Errorf("codes %s, want %s", got, want)
	}
	for range 3 {
		if got := a.call(t, "get_gift_count", `{}`).ErrorCode; got != 2 {
			t.Errorf("get_gift_count answers %d, want 2", got)
		}
	}
	a.Heal()
	check(t, a.call(t, "get_gift_count", `{"RoomId":"room_id","From_Account":"user1"}`), 0, "")

	header := http.Header{"Retry-After": {"1"}}
	a.Misbehave(simulator.Fault{Body: []byte(`{"ErrorCode":5}`), Header: header})
	header.Set("Retry-After", "2")
	recorder := httptest.NewRecorder()
	a.ServeHTTP(recorder, httptest.NewRequest("POST", "/v4/live_engine_http_srv/get_room_stats", strings.NewReader("{}")))
	if recorder.Header().Get("Retry-After") != "1" {
		t.Error("a fault was changed from outside")
	}
}

// A call whose answer is replaced is not carried out. A call whose answer is only spoiled is.
func TestFaultsAndTheLedger(t *testing.T) {
	for _, test := range []struct {
		name    string
		fault   simulator.Fault
		carried int64
	}{
		{name: "code", fault: simulator.Fault{Code: 100001}},
		{name: "status", fault: simulator.Fault{Status: 500}},
		{name: "body", fault: simulator.Fault{Body: []byte("{}")}},
		{name: "header", fault: simulator.Fault{Header: http.Header{"X": {"1"}}}, carried: 1},
		{name: "cut", fault: simulator.Fault{CutBody: true}, carried: 1},
		{name: "reset", fault: simulator.Fault{Reset: true}}, // a recorder has no connection: the handler aborts
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newApp(t).withRoom(t)
			a.Misbehave(test.fault)
			func() {
				defer func() {
					if p := recover(); p != nil && p != http.ErrAbortHandler {
						panic(p)
					}
				}()
				a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/v4/live_engine_http_srv/send_gift?"+a.query(a.sig).Encode(),
					strings.NewReader(`{"RoomId":"room_id","GiftId":"rose","From_Account":"fan1","ReceiverList_Account":["user1"]}`)))
			}()
			if got, err := a.GiftCount("room_id", "user1"); err != nil || got.TotalCount != test.carried {
				t.Errorf("%d gifts, %v; want %d", got.TotalCount, err, test.carried)
			}
		})
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *simulator.Config) { c.Now = time.Now }).withRoom(t)
		a.sig = sign(key, map[string]any{"TLS.time": time.Now().Unix()})
		a.Misbehave(simulator.Fault{Command: "get_room_stats", Latency: time.Hour})
		started := time.Now()
		var slow sync.WaitGroup
		slow.Go(func() {
			check(t, a.call(t, "get_room_stats", `{"RoomId":"room_id"}`), 0, "")
			if took := time.Since(started); took != time.Hour {
				t.Errorf("took %v, want an hour", took)
			}
		})
		synctest.Wait()
		if calls := a.Calls(); len(calls) != 1 || calls[0].Code != -1 {
			t.Errorf("calls on their way: %+v", calls)
		}
		check(t, a.call(t, "get_room_info", `{"RoomId":"room_id"}`), 0, "") // others are not held up
		if time.Since(started) != 0 {
			t.Errorf("another call took %v", time.Since(started))
		}
		slow.Wait()
	})
}

func TestLatencyEndsWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t).withRoom(t)
		a.Misbehave(simulator.Fault{Latency: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		started := time.Now()
		defer func() {
			if p := recover(); p != http.ErrAbortHandler || time.Since(started) != time.Second {
				t.Errorf("ended with %v after %v", p, time.Since(started))
			}
			if _, err := a.Room("room_id"); err != nil {
				t.Error("carried out for nobody")
			}
		}()
		target := "/v4/live_engine_http_srv/destroy_room?" + a.query(a.sig).Encode()
		request := httptest.NewRequest("POST", target, strings.NewReader(`{"RoomId":"room_id"}`))
		a.ServeHTTP(httptest.NewRecorder(), request.WithContext(ctx))
	})
}
