package faultproxy

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// pipelineMax is how many requests of a connection may wait for their replies before the proxy
// reads no more of them.
const pipelineMax = 4096

// link is one connection of a client and its counterpart to the server.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	asked          chan asked  // requests on the way, in the order of their replies
	silent         atomic.Bool // something was swallowed: what followed would be misread
	closed         chan struct{}
	once           sync.Once
}

// asked is what is to be done with the reply to a request.
type asked struct {
	due time.Time
	cut bool
}

func newLink(p *Proxy, client, server net.Conn) *link {
	return &link{
		proxy: p, client: client, server: server,
		asked: make(chan asked, pipelineMax), closed: make(chan struct{}),
	}
}

// run forwards until either side ends or close is called.
func (l *link) run() {
	var requests sync.WaitGroup
	requests.Go(l.forwardRequests)
	l.forwardReplies()
	requests.Wait()
}

// close cuts both connections. It does not wait.
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
		fate, swallowed := l.proxy.judge(request)
		if swallowed {
			l.silent.Store(true)
			continue
		}
		select {
		case l.asked <- fate: // before the request, so that its reply finds it
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
			<-l.closed // by the client or the proxy: the end of the server is swallowed too
			return
		}
		if err != nil {
			return
		}
		fate := l.fate(reply)
		if !l.wait(fate.due) {
			return
		}
		if l.silent.Load() || l.proxy.swallowing() {
			l.silent.Store(true)
			continue
		}
		if fate.cut {
			l.proxy.countCut()
			return
		}
		if _, err := l.client.Write(reply); err != nil {
			return
		}
	}
}

// fate takes the oldest request. What nobody asked for passes: a push (">", RESP3) and the
// messages of a subscription.
func (l *link) fate(reply []byte) asked {
	if reply[0] == '>' {
		return asked{}
	}
	select {
	case fate := <-l.asked:
		return fate
	default:
		return asked{}
	}
}

// wait waits until due and tells whether the link is still open.
func (l *link) wait(due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.closed:
		return false
	}
}
