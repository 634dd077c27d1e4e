// Package client calls a Holdfast server over HTTP, for the command line. Every call that changes
// something carries an id, so a call whose outcome is unknown may be repeated.
package client

import (
	"errors"
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
	base  string // without a trailing slash
	shown string // base for errors: without credentials and path, which may be secret
	http  *http.Client
	wait  func(time.Duration) <-chan time.Time // time.After; tests don't wait
}

// New returns a client of the server at a URL such as http://127.0.0.1:8080. It does no I/O. The error
// quotes nothing of the URL.
func New(server string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(u.Host, ",;=&") {
		return nil, errors.New("the server is not a URL that can be called: " +
			"name it as a URL, such as http://127.0.0.1:8080, without options")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = proxy
	return &Client{
		base:  strings.TrimRight(u.String(), "/"),
		shown: u.Scheme + "://" + u.Host,
		http:  &http.Client{Timeout: attemptTimeout, Transport: transport},
		wait:  time.After,
	}, nil
}

// proxy returns the proxy that the environment names. Its error quotes nothing of the environment.
func proxy(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, errors.New("the environment variable HTTP_PROXY or HTTPS_PROXY does not name a proxy: correct it")
	}
	return u, nil
}
