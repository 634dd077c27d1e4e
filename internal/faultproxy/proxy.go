// Package faultproxy stands between a Redis client and its server in a test and makes, on request,
// the failures that a network makes: an answer that is lost after the command has run, silence,
// refused connections, delay.
//
// It knows where requests and replies begin and end, so a fault hits exactly the request it is
// meant for, also in a pipeline. It counts one reply for each request, which rules out MONITOR,
// CLIENT REPLY and, for CutReplies and Delay, subscriptions. A cluster client learns the address of
// the node itself and goes around the proxy, unless its Dialer is made to dial the proxy.
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

// Proxy is a TCP proxy to one Redis. A new one passes everything. Its methods are safe for
// concurrent use, and a mode holds for all that is read after the call that sets it.
type Proxy struct {
	upstream string
	listener net.Listener
	ctx      context.Context // ends with the proxy
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu    sync.Mutex
	links map[*link]struct{}

	cutsLeft   int
	cutsDone   int
	containing []byte
	blackhole  bool
	refuse     bool
	delay      time.Duration
}

// New starts a proxy on a free loopback port. It does not need upstream to be there yet. It is
// closed with the test.
func New(tb testing.TB, upstream string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{upstream: upstream, listener: listener, links: map[*link]struct{}{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.running.Go(p.accept)
	tb.Cleanup(p.Close)
	return p
}

// Addr is where clients connect, "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// CutReplies loses the answers of the next n requests that contain the given text (any request if
// it is ""; letter case does not matter). Such a request reaches the server in full and is run;
// when its answer has come, the connection is closed without a byte of it. A text like "evalsha"
// spares what clients send on connecting. It replaces what an earlier call has left over, so n = 0
// ends it.
func (p *Proxy) CutReplies(n int, containing string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutsLeft, p.containing = n, []byte(strings.ToLower(containing))
}

// Cuts is how many answers have been lost so far; a test asks to be sure that its fault happened.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cutsDone
}

// Blackhole makes the proxy take everything and forward nothing, in either direction, with all
// connections left open, even if the server ends. What it swallows is gone: a connection that lost
// something, or was made meanwhile, stays silent after Blackhole(false); one that was idle goes on.
func (p *Proxy) Blackhole(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blackhole = on
}

// Refuse makes the proxy close each new connection at once, and closes those that are open.
func (p *Proxy) Refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = on
	if on {
		p.cutAll()
	}
}

// Delay lets no answer pass earlier than d after its request came in. The request itself is
// forwarded at once, so it has run when a client gives up waiting.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Close ends all connections and returns when nothing of the proxy runs any more. Closing twice
// does nothing.
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
			return // closed; a loopback listener has no other way to fail
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

// dial connects to the server, in a blackhole to nothing.
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

// add looks at the modes again: they may have changed while the server was dialed.
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

// judge decides the fate of a request that has just come in.
func (p *Proxy) judge(request []byte) (fate asked, swallowed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blackhole {
		return asked{}, true
	}
	fate.due = time.Now().Add(p.delay)
	if p.cutsLeft > 0 && bytes.Contains(bytes.ToLower(request), p.containing) {
		p.cutsLeft--
		fate.cut = true
	}
	return fate, false
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
