// Package faultproxy is a TCP proxy between a Redis client and its server. A test makes it fail as a
// network does: it loses a reply after the command has run, falls silent, or refuses connections.
//
// The proxy parses the Redis protocol, so a fault hits exactly the request it is meant for, even in a
// pipeline. It expects one reply for each request. That rules out MONITOR, CLIENT REPLY and, for
// CutReplies, subscriptions. A cluster client learns the node's own address and bypasses
// the proxy, unless its Dialer dials the proxy.
package faultproxy

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

const dialTimeout = 2 * time.Second

// Proxy is a TCP proxy to one Redis. A new one forwards everything. Its methods are safe for
// concurrent use. A mode applies to everything the proxy reads after the call that sets it.
type Proxy struct {
	upstream string
	listener net.Listener
	ctx      context.Context // cancelled by Close
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu    sync.Mutex
	links map[*link]struct{}

	cutsLeft   int
	cutsDone   int
	containing []byte
	blackhole  bool
	refuse     bool

	skip     int    // replies until one is replaced
	replaced bool   // none is to be replaced any more
	odd      []byte // what replaces it
}

// New starts a proxy on a free loopback port. The server at upstream need not run yet. The proxy is
// closed after the test.
func New(tb testing.TB, upstream string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{upstream: upstream, listener: listener, links: map[*link]struct{}{}, replaced: true}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.running.Go(p.accept)
	tb.Cleanup(p.Close)
	return p
}

// Addr returns the address for clients, "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// CutReplies loses the replies to the next n requests that contain the given text, in any letter case
// (every request if it is ""). The server receives and runs such a request. When its reply arrives,
// the proxy closes the connection without forwarding a byte. A text like "evalsha" spares the
// commands that clients send on connecting. A call replaces an earlier one; n = 0 ends the cuts.
func (p *Proxy) CutReplies(n int, containing string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutsLeft, p.containing = n, []byte(strings.ToLower(containing))
}

// Cuts returns how many replies were lost so far, so that a test can check that its fault happened.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cutsDone
}

// ReplaceReply sends other bytes in place of one reply, after skip more replies. If the bytes are not
// one whole reply, the proxy then closes the connection. A call replaces an earlier one.
func (p *Proxy) ReplaceReply(skip int, with []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skip, p.odd, p.replaced = skip, with, false
}

// Replaced reports whether the reply was replaced.
func (p *Proxy) Replaced() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replaced
}

// replacement returns what replaces the next reply. ok is false if nothing does.
func (p *Proxy) replacement() (odd []byte, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.replaced {
		return nil, false
	}
	p.skip--
	p.replaced = p.skip < 0
	return p.odd, p.replaced
}

// Blackhole makes the proxy read everything and forward nothing, in either direction. Connections stay
// open, even if the server ends. A connection that lost bytes or was opened meanwhile stays silent
// after Blackhole(false). One that was idle works again.
func (p *Proxy) Blackhole(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blackhole = on
}

// Refuse makes the proxy close each new connection at once. It also closes the open ones.
func (p *Proxy) Refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = on
	if on {
		p.cutAll()
	}
}

// Close closes all connections and returns when all goroutines of the proxy have ended. Closing it
// again does nothing.
func (p *Proxy) Close() {
	p.cancel()
	_ = p.listener.Close()
	p.mu.Lock()
	p.cutAll()
	p.mu.Unlock()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // Close was called; a loopback listener fails in no other way
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	if !p.open() {
		return
	}
	server, silent, err := p.dial()
	if err != nil {
		return
	}
	l := newLink(p, client, server)
	l.silent.Store(silent)
	defer p.remove(l)
	if p.add(l) {
		l.run()
	}
}

// dial connects to the server, or to nothing if the proxy is a blackhole.
func (p *Proxy) dial() (conn net.Conn, silent bool, err error) {
	if p.swallowing() {
		nothing, _ := net.Pipe()
		return nothing, true, nil
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err = dialer.DialContext(p.ctx, "tcp", p.upstream)
	return conn, false, err
}

func (p *Proxy) open() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.refuse && p.ctx.Err() == nil
}

// add registers l, unless the proxy refuses connections by now: the mode can change during the dial.
func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse || p.ctx.Err() != nil {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	l.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// cutAll needs p.mu.
func (p *Proxy) cutAll() {
	for l := range p.links {
		l.close()
	}
}

// judge decides about a request that has just arrived: whether its reply is cut, and whether the
// request is swallowed.
func (p *Proxy) judge(request []byte) (cut, swallowed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blackhole {
		return false, true
	}
	cut = p.cutsLeft > 0 && bytes.Contains(bytes.ToLower(request), p.containing)
	if cut {
		p.cutsLeft--
	}
	return cut, false
}

func (p *Proxy) swallowing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.blackhole
}

func (p *Proxy) countCut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutsDone++
}
