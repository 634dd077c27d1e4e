package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/holdfast/holdfast/internal/api"
)

// overHTTP is Holdfast as `holdfast serve` runs it, without metrics.
type overHTTP struct {
	*library
	server *httpServer
}

func openOverHTTP(ctx context.Context, e *env, w *workload) (seller, error) {
	library, err := newLibrary(ctx, e, w)
	if err != nil {
		return nil, err
	}
	handler := api.New(library.store, api.Options{TTL: holdTTL, Logger: e.options.Logger})
	server, err := serve(handler, e.options.Callers)
	if err != nil {
		return nil, errors.Join(err, library.close(ctx))
	}
	return &overHTTP{library, server}, nil
}

func (h *overHTTP) reserve(ctx context.Context, caller int, o *order) (outcome, error) {
	return h.server.reserve(ctx, caller, o)
}

func (h *overHTTP) confirm(ctx context.Context, caller int, o *order) (outcome, error) {
	return h.server.confirm(ctx, caller, o)
}

func (h *overHTTP) close(ctx context.Context) error {
	return errors.Join(h.server.close(ctx), h.library.close(ctx))
}

// httpServer is an HTTP server on loopback in this process, with a client for each caller.
//
// Each client keeps one connection, writes requests by itself, and reads answers with net/http.
// http.Transport uses two goroutines per connection. It would cost more than the servers under
// comparison and hide their differences.
type httpServer struct {
	address string
	clients []httpClient // by caller
	stop    context.CancelFunc
	ended   chan error
}

type httpClient struct {
	conn    net.Conn // nil before the first call, and after a failed one
	reader  *bufio.Reader
	body    bytes.Buffer // of the request
	request bytes.Buffer
	answer  bytes.Buffer // body of the answer
}

func serve(handler http.Handler, callers int) (*httpServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	s := &httpServer{
		address: listener.Addr().String(), clients: make([]httpClient, callers),
		stop: stop, ended: make(chan error, 1),
	}
	go func() { s.ended <- api.Serve(running, listener, handler, api.Timeouts{}) }()
	return s, nil
}

// reserve reserves an order. The names in it need no escaping in JSON.
func (s *httpServer) reserve(ctx context.Context, caller int, o *order) (outcome, error) {
	body := &s.clients[caller].body
	body.Reset()
	fmt.Fprintf(body, `{"id":"%s","order":"%s","lines":[`, o.id, o.id)
	for i, l := range o.lines {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(body, `{"line":"%s","sku":"%s","quantity":%d}`, lineNames[i], l.sku, l.quantity)
	}
	body.WriteString("]}")
	return httpOutcome(s.post(ctx, caller, "/v1/reservations", body.Bytes()))
}

// confirm turns the hold of an order into a sale.
func (s *httpServer) confirm(ctx context.Context, caller int, o *order) (outcome, error) {
	return httpOutcome(s.post(ctx, caller, "/v1/reservations/"+o.id+"/confirm", nil))
}

// post sends a request and reads its answer.
func (s *httpServer) post(ctx context.Context, caller int, path string, body []byte) (*http.Response, []byte, error) {
	c := &s.clients[caller]
	if c.conn == nil {
		conn, err := (&net.Dialer{Timeout: callTimeout}).DialContext(ctx, "tcp", s.address)
		if err != nil {
			return nil, nil, err
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	response, err := c.post(s.address, path, body)
	if err != nil {
		_ = c.conn.Close()
		c.conn = nil
		return nil, nil, fmt.Errorf("http: %w", err)
	}
	return response, c.answer.Bytes(), nil
}

func (c *httpClient) post(host, path string, body []byte) (*http.Response, error) {
	c.request.Reset()
	fmt.Fprintf(&c.request, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		path, host, len(body))
	c.request.Write(body)
	if err := c.conn.SetDeadline(time.Now().Add(callTimeout)); err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(c.request.Bytes()); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, err
	}
	c.answer.Reset()
	_, err = io.Copy(&c.answer, response.Body)
	return response, errors.Join(err, response.Body.Close())
}

var insufficientCode = []byte(`"code":"insufficient_stock"`)

func httpOutcome(response *http.Response, body []byte, err error) (outcome, error) {
	switch {
	case err != nil:
		return 0, err
	case response.Header.Get("Idempotent-Replay") == "true":
		return replayed, nil
	case response.StatusCode == http.StatusCreated, response.StatusCode == http.StatusOK:
		return accepted, nil
	case response.StatusCode == http.StatusConflict && bytes.Contains(body, insufficientCode):
		return refused, nil
	}
	return 0, fmt.Errorf("http: %s: %s", response.Status, bytes.TrimSpace(body))
}

func (s *httpServer) close(context.Context) error {
	for i := range s.clients {
		if conn := s.clients[i].conn; conn != nil {
			_ = conn.Close()
		}
	}
	s.stop()
	if err := <-s.ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
