package faultproxy

import (
	"bufio"
	"bytes"
	"net"
	"sync"
	"sync/atomic"
)

// pipelineMax is how many requests of a connection can wait for their replies. The proxy reads no
// further request until one is answered.
const pipelineMax = 4096

// link is a client's connection to the proxy and the matching connection to the server.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	pending        chan bool   // for each request without a reply, in order: whether to cut the reply
	silent         atomic.Bool // bytes were swallowed, so later replies would be misread
	closed         chan struct{}
	once           sync.Once
}

func newLink(p *Proxy, client, server net.Conn) *link {
	return &link{
		proxy: p, client: client, server: server,
		pending: make(chan bool, pipelineMax), closed: make(chan struct{}),
	}
}

// run forwards in both directions until either side ends or close is called.
func (l *link) run() {
	var requests sync.WaitGroup
	requests.Go(l.forwardRequests)
	l.forwardReplies()
	requests.Wait()
}

// close closes both connections. It does not wait for run.
func (l *link) close() {
	l.once.Do(func() {
		close(l.closed)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

func (l *link) forwardRequests() {
	defer l.close()
	in := bufio.NewReader(l.client)
	for {
		request, err := readMessage(in)
		if err != nil {
			return
		}
		if l.silent.Load() {
			continue
		}
		cut, swallowed := l.proxy.judge(request)
		if swallowed {
			l.silent.Store(true)
			continue
		}
		select {
		case l.pending <- cut: // before the request, so that its reply finds it
		case <-l.closed:
			return
		}
		if _, err := l.server.Write(request); err != nil {
			return
		}
	}
}

func (l *link) forwardReplies() {
	defer l.close()
	in := bufio.NewReader(l.server)
	for {
		reply, err := readMessage(in)
		if err != nil && (l.silent.Load() || l.proxy.swallowing()) {
			l.silent.Store(true)
			<-l.closed // by the client or the proxy; the server's end is swallowed too
		}
		if err != nil {
			return
		}
		cut := l.cuts(reply)
		if l.silent.Load() || l.proxy.swallowing() {
			l.silent.Store(true)
			continue
		}
		if cut {
			l.proxy.countCut()
			return
		}
		odd, replaced := l.proxy.replacement()
		if replaced {
			reply = odd
		}
		if _, err := l.client.Write(reply); err != nil || replaced && !whole(odd) {
			return
		}
	}
}

// whole reports whether a text is one reply.
func whole(text []byte) bool {
	in := bufio.NewReader(bytes.NewReader(text))
	message, err := readMessage(in)
	return err == nil && len(message) == len(text)
}

// cuts takes the oldest pending request and reports whether its reply is cut. A push (">", RESP3) and
// the messages of a subscription answer no request, so they pass.
func (l *link) cuts(reply []byte) bool {
	if reply[0] == '>' {
		return false
	}
	select {
	case cut := <-l.pending:
		return cut
	default:
		return false
	}
}
