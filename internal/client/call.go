package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	problemType  = "application/problem+json"
	replayHeader = "Idempotent-Replay"
)

// call sends one request and decodes its answer into out. Answered 503 it waits as long as the
// server asks and sends the same again, a bounded number of times. Errors are a *Problem, an
// *UnexpectedError, or a failure of the connection.
func (c *Client) call(ctx context.Context, method, path string, in, out any) (replay bool, err error) {
	return c.callWith(ctx, nil, method, path, in, out)
}

// callWith is call with further headers.
func (c *Client) callWith(ctx context.Context, header http.Header, method, path string, in, out any) (replay bool, err error) {
	body, err := encode(in)
	if err != nil {
		return false, err
	}
	for attempt := 1; ; attempt++ {
		response, err := c.send(ctx, header, method, path, body)
		if err != nil {
			return false, err
		}
		if response.status != http.StatusServiceUnavailable || attempt == attemptsMax {
			return response.replay, response.decode(out)
		}
		select {
		case <-c.wait(response.retryAfter):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// encode leaves < > & as they are: escaped, a full chunk of counts could pass the server's limit.
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

// response is an answer, read to its end.
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
		return response{}, fmt.Errorf("make the request: %w", err)
	}
	maps.Copy(request.Header, header)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return response{}, fmt.Errorf("call the server: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax+1))
	if err != nil {
		return response{}, fmt.Errorf("read the answer of %s: %w", c.base+path, err)
	}
	if len(text) > answerBytesMax {
		return response{}, fmt.Errorf("the answer of %s is over %d bytes: is this a Holdfast server?",
			c.base+path, answerBytesMax)
	}
	mediaType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return response{
		url:        c.base + path,
		status:     answer.StatusCode,
		mediaType:  mediaType,
		replay:     answer.Header.Get(replayHeader) == "true",
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

func (r response) decode(out any) error {
	if r.status >= 200 && r.status < 300 && r.mediaType == "application/json" {
		if err := json.Unmarshal(r.body, out); err == nil {
			return nil
		}
		return &UnexpectedError{URL: r.url, Status: r.status, MediaType: "broken JSON"}
	}
	if r.mediaType == problemType {
		var p Problem
		if err := json.Unmarshal(r.body, &p); err == nil && p.Code != "" {
			p.Status = r.status
			return &p
		}
	}
	return &UnexpectedError{URL: r.url, Status: r.status, MediaType: r.mediaType}
}

// segment is an identifier as one segment of a path.
func segment(id string) string { return "/" + url.PathEscape(id) }
