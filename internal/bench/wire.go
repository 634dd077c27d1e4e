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
)

// wire calls an HTTP server: each caller has one connection, which it keeps. It writes requests by
// itself and reads answers with net/http, because http.Transport, with two goroutines a connection,
// would cost more than the servers that are compared, and hide what differs.
type wire struct {
	address string
	callers []connection // by caller
}

type connection struct {
	conn   net.Conn // nil before the first call, and after one that failed
	reader *bufio.Reader
	body   bytes.Buffer // of the request
	out    bytes.Buffer // the request
	answer bytes.Buffer // the body of the answer
}

func newWire(address string, callers int) *wire {
	return &wire{address: address, callers: make([]connection, callers)}
}

// post sends a request and reads its answer.
func (w *wire) post(ctx context.Context, caller int, path string, body []byte) (*http.Response, []byte, error) {
	c := &w.callers[caller]
	if c.conn == nil {
		conn, err := (&net.Dialer{Timeout: callTimeout}).DialContext(ctx, "tcp", w.address)
		if err != nil {
			return nil, nil, err
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	response, err := c.call(w.address, path, body)
	if err != nil {
		_ = c.conn.Close()
		c.conn = nil
		return nil, nil, fmt.Errorf("http: %w", err)
	}
	return response, c.answer.Bytes(), nil
}

func (c *connection) call(host, path string, body []byte) (*http.Response, error) {
	c.out.Reset()
	fmt.Fprintf(&c.out, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		path, host, len(body))
	c.out.Write(body)
	if err := c.conn.SetDeadline(time.Now().Add(callTimeout)); err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
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

// reserve asks for an order. Its names need no escaping in JSON.
func (w *wire) reserve(ctx context.Context, caller int, o *order) (outcome, error) {
	body := &w.callers[caller].body
	body.Reset()
	fmt.Fprintf(body, `{"id":"%s","order":"%s","lines":[`, o.id, o.id)
	for i, l := range o.lines {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(body, `{"line":"%s","sku":"%s","quantity":%d}`, lineNames[i], l.sku, l.quantity)
	}
	body.WriteString("]}")
	return read(w.post(ctx, caller, "/v1/reservations", body.Bytes()))
}

// confirm makes an order's hold a sale.
func (w *wire) confirm(ctx context.Context, caller int, o *order) (outcome, error) {
	return read(w.post(ctx, caller, "/v1/reservations/"+o.id+"/confirm", nil))
}

var insufficient = []byte(`"code":"insufficient_stock"`)

// read is the outcome that an answer says.
func read(response *http.Response, body []byte, err error) (outcome, error) {
	switch {
	case err != nil:
		return 0, err
	case response.Header.Get("Idempotent-Replay") == "true":
		return replayed, nil
	case response.StatusCode == http.StatusCreated, response.StatusCode == http.StatusOK:
		return accepted, nil
	case response.StatusCode == http.StatusConflict && bytes.Contains(body, insufficient):
		return refused, nil
	}
	return 0, fmt.Errorf("http: %s: %s", response.Status, bytes.TrimSpace(body))
}

func (w *wire) close() {
	for i := range w.callers {
		if conn := w.callers[i].conn; conn != nil {
			_ = conn.Close()
		}
	}
}
