// Package client calls a Holdfast server over HTTP, for the command line. Every call that changes
// something carries an id, so a call whose outcome is unknown may be repeated.
package client

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	attemptTimeout = 30 * time.Second       // one attempt, a chunk of counts included
	attemptsMax    = 6                      // of a call that is answered 503
	waitDefault    = 500 * time.Millisecond // before the next attempt, without Retry-After
	waitMax        = 10 * time.Second       // before the next attempt, with any Retry-After
	answerBytesMax = 16 << 20               // of one answer
)

// Client calls one server. It is safe for concurrent use.
type Client struct {
	base string // without a trailing slash
	http *http.Client
	wait func(time.Duration) <-chan time.Time // time.After; tests don't wait
}

// New returns a client of the server at a URL such as http://127.0.0.1:8080. It does no I/O.
func New(server string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q does not name a server: name it as a URL, such as http://127.0.0.1:8080", server)
	}
	return &Client{
		base: strings.TrimRight(u.String(), "/"),
		http: &http.Client{Timeout: attemptTimeout},
		wait: time.After,
	}, nil
}
