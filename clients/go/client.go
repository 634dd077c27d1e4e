// Package holdfast calls a Holdfast server over HTTP.
//
// Every call that changes something carries an id or names a reservation, so it is safe to repeat. A Client
// repeats a call with the same id after a time-out, a broken connection, a 503 or a 429. A refusal is a *Problem:
//
//	var p *holdfast.Problem
//	if errors.As(err, &p) && p.Code == holdfast.CodeInsufficientStock {
//		fmt.Println("only", p.Shortages[0].Available, "left")
//	}
//
// The bool that a call returns is true if the same request was answered before and nothing changed.
package holdfast

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The defaults of Options.
const (
	AttemptTimeout = 30 * time.Second // a chunk of counts included
	AttemptsMax    = 6
)

const (
	waitDefault    = 500 * time.Millisecond // before the next attempt, without Retry-After
	waitMax        = 10 * time.Second       // before the next attempt, with any Retry-After
	answerBytesMax = 16 << 20               // of one answer
)

// Options configures a Client. The zero value works.
type Options struct {
	Key            string            // sent as Authorization: Bearer; "" sends none
	AttemptTimeout time.Duration     // of one attempt; default AttemptTimeout
	AttemptsMax    int               // of one call; default AttemptsMax, 1 never repeats
	Transport      http.RoundTripper // default: a copy of http.DefaultTransport
}

// Client calls one server. It is safe for concurrent use.
type Client struct {
	base        string // without a trailing slash
	shown       string // base for errors: without credentials and path, which may be secret
	key         string
	attemptsMax int
	http        *http.Client
	wait        func(time.Duration) <-chan time.Time // time.After; tests don't wait
}

// New returns a client of the server at a URL such as http://127.0.0.1:8080. It does no I/O. The error
// quotes nothing of the URL and the key.
func New(server string, o Options) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(u.Host, ",;=&") {
		return nil, errors.New("the server is not a URL that can be called: " +
			"name it as a URL, such as http://127.0.0.1:8080, without options")
	}
	if strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the key has characters that no key has: name one key, from hf_ to its last character")
	}
	if o.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.Proxy = proxy
		o.Transport = transport
	}
	return &Client{
		base:        strings.TrimRight(u.String(), "/"),
		shown:       u.Scheme + "://" + u.Host,
		key:         o.Key,
		attemptsMax: cmp.Or(o.AttemptsMax, AttemptsMax),
		http:        &http.Client{Timeout: cmp.Or(o.AttemptTimeout, AttemptTimeout), Transport: o.Transport},
		wait:        time.After,
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
