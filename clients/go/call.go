package holdfast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/internal/contract"
)

// call sends one request and decodes its answer into out. After a 503 or a 429 it waits as long as the server
// asks and sends the same request again. It also repeats a call whose outcome a failure of the connection
// hides. It returns whether the answer is a replay. Errors: *Problem, *UnexpectedError, or a failure of the
// connection.
func (c *Client) call(ctx context.Context, method, path string, in, out any) (replay bool, err error) {
	return c.callWith(ctx, nil, method, path, in, out)
}

// callWith is call with additional headers.
func (c *Client) callWith(ctx context.Context, header http.Header, method, path string, in, out any) (replay bool, err error) {
	body, err := encode(in)
	if err != nil {
		return false, err
	}
	for attempt := 1; ; attempt++ {
		response, err := c.send(ctx, header, method, path, body)
		last := attempt >= c.attemptsMax || ctx.Err() != nil
		wait := response.retryAfter
		switch {
		case err != nil && (last || !repeatable(err, attempt)):
			return false, err
		case err != nil:
			wait = backoff(attempt)
		case !response.tryLater() || last:
			return response.replay, response.decode(out)
		}
		select {
		case <-c.wait(wait):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// repeatable reports whether the next attempt may end better than one that failed with err. A first
// connection that cannot be made says that the address is wrong, or that no server runs there.
func repeatable(err error, attempt int) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op != "dial" || op.Timeout() || attempt > 1
	}
	slow, ok := errors.AsType[net.Error](err)
	return ok && slow.Timeout() || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// backoff doubles the wait with each attempt, and takes a random part of up to a half off.
func backoff(attempt int) time.Duration {
	wait := min(waitDefault<<(attempt-1), waitMax)
	return wait - rand.N(wait/2)
}

// encode does not escape < > &: escaped, a full chunk of counts could exceed the server's limit.
func encode(in any) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(in); err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return buffer.Bytes(), nil
}

// response is an answer with its whole body.
type response struct {
	url        string
	status     int
	mediaType  string
	replay     bool
	retryAfter time.Duration
	body       []byte
}

func (c *Client) send(ctx context.Context, header http.Header, method, path string, body []byte) (response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return response{}, errors.New("make the request: the URL of the server cannot be used")
	}
	maps.Copy(request.Header, header)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	request.Header["Idempotency-Key"] = []string{} // sends no header; lets the transport use another connection
	answer, err := c.http.Do(request)
	if err != nil {
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err // without the whole URL
		}
		return response{}, fmt.Errorf("call %s: %w", c.shown, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax+1))
	if err != nil {
		return response{}, fmt.Errorf("read the answer from %s: %w", c.shown+path, err)
	}
	if len(text) > answerBytesMax {
		return response{}, fmt.Errorf("the answer from %s is over %d bytes: is this a Holdfast server?",
			c.shown+path, answerBytesMax)
	}
	mediaType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return response{
		url:        c.shown + path,
		status:     answer.StatusCode,
		mediaType:  mediaType,
		replay:     answer.Header.Get(contract.ReplayHeader) == "true",
		retryAfter: retryAfter(answer.Header.Get("Retry-After"), time.Now()),
		body:       text,
	}, nil
}

// retryAfter reads a Retry-After header: seconds, or a date.
func retryAfter(header string, now time.Time) time.Duration {
	wait := waitDefault
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		wait = time.Duration(min(seconds, int(waitMax/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), waitMax)
}

// tryLater reports whether the server asks to repeat the call.
func (r response) tryLater() bool {
	return r.status == http.StatusServiceUnavailable || r.status == http.StatusTooManyRequests
}

func (r response) decode(out any) error {
	if r.status == http.StatusNoContent && out == nil {
		return nil
	}
	if r.status >= 200 && r.status < 300 && r.mediaType == "application/json" {
		if err := json.Unmarshal(r.body, out); err == nil {
			return nil
		}
		return &UnexpectedError{URL: r.url, Status: r.status, MediaType: "broken JSON"}
	}
	if r.mediaType == contract.ProblemType {
		var p Problem
		if err := json.Unmarshal(r.body, &p); err == nil && p.Code != "" {
			p.Status = r.status
			return &p
		}
	}
	return &UnexpectedError{URL: r.url, Status: r.status, MediaType: r.mediaType}
}

// UnexpectedError is an answer that a Holdfast server does not give.
type UnexpectedError struct {
	URL       string
	Status    int
	MediaType string // of the answer
}

func (e *UnexpectedError) Error() string {
	kind := e.MediaType
	if kind == "" {
		kind = "no content type"
	}
	return fmt.Sprintf("%s answered %d with %s: is this a Holdfast server?", e.URL, e.Status, kind)
}
