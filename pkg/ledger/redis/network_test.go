package redis_test

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"sync"
)

// network dials connections that a test can disturb and read.
type network struct {
	mu     sync.Mutex
	wires  []*wire
	open   sync.WaitGroup // connections
	losing string         // the connection breaks before the answer to the next write that contains this
	server string         // where connections go; empty: where they are dialed to
}

// wire is one connection.
type wire struct {
	net.Conn
	network *network
	written bytes.Buffer
	silent  bool // what is written gets lost
	unsent  bytes.Buffer
	breaks  bool
	ended   sync.Once
}

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	n.mu.Lock()
	address = cmp.Or(n.server, address)
	n.mu.Unlock()
	conn, err := new(net.Dialer).DialContext(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	opened := &wire{Conn: conn, network: n}
	n.wires = append(n.wires, opened)
	n.open.Add(1)
	return opened, nil
}

// redirect makes all further connections lead to a server.
func (n *network) redirect(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = address
}

// lose makes the answer to the next write that contains text get lost.
func (n *network) lose(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.losing = text
}

// silence makes all connections so far lead nowhere, without an error.
func (n *network) silence() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, opened := range n.wires {
		opened.silent = true
	}
}

func (n *network) dials() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.wires)
}

// unsent returns what was written to connections after they were silenced.
func (n *network) unsent() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all string
	for _, opened := range n.wires {
		all += opened.unsent.String()
	}
	return all
}

// written returns what was written to each connection.
func (n *network) written() [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all [][]byte
	for _, opened := range n.wires {
		all = append(all, bytes.Clone(opened.written.Bytes()))
	}
	return all
}

func (w *wire) Write(data []byte) (int, error) {
	w.network.mu.Lock()
	w.written.Write(data)
	if losing := w.network.losing; losing != "" && bytes.Contains(data, []byte(losing)) {
		w.breaks, w.network.losing = true, ""
	}
	silent := w.silent
	if silent {
		w.unsent.Write(data)
	}
	w.network.mu.Unlock()
	if silent {
		return len(data), nil
	}
	return w.Conn.Write(data)
}

func (w *wire) Read(into []byte) (int, error) {
	n, err := w.Conn.Read(into)
	w.network.mu.Lock()
	defer w.network.mu.Unlock()
	if w.breaks {
		w.Conn.Close()
		return 0, io.EOF
	}
	return n, err
}

func (w *wire) Close() error {
	w.ended.Do(w.network.open.Done)
	return w.Conn.Close()
}
