package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// site is an HTTP server on an address of this machine.
type site struct {
	url    string // without a path
	http   *http.Server
	served chan struct{} // closed when serving has ended
	err    error         // why it ended, if not by close; only after served is closed

	mu      sync.Mutex
	unused  map[net.Conn]bool // connections without a request so far
	closing bool
}

// serve starts to serve the handler on the address.
func serve(address string, handler http.Handler) (*site, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &site{
		url:    "http://" + dialable(listener.Addr().(*net.TCPAddr)),
		http:   &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second},
		served: make(chan struct{}),
		unused: map[net.Conn]bool{},
	}
	s.http.ConnState = s.watch
	go func() {
		defer close(s.served)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.err = err
		}
	}()
	return s, nil
}

// close lets the running requests finish, for at most three seconds.
func (s *site) close() error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	s.closeUnused()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.served
	return err
}

// watch keeps the connections that clients have opened in advance, as browsers do.
func (s *site) watch(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch delete(s.unused, conn); {
	case state == http.StateNew && s.closing:
		conn.Close()
	case state == http.StateNew:
		s.unused[conn] = true
	}
}

// closeUnused closes the connections on which no request runs. Shutdown would wait for one for five seconds.
func (s *site) closeUnused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for conn := range s.unused {
		conn.Close()
	}
}

// dialable returns an address at which this machine reaches a listener: that of loopback if it listens everywhere.
func dialable(address *net.TCPAddr) string {
	if address.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(address.Port))
	}
	return address.String()
}
