package api_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/api"
)

// serving is a server under test, on a free port.
type serving struct {
	url  string
	stop context.CancelFunc
	done chan error
}

func serve(t *testing.T, handler http.Handler, timeouts api.Timeouts) *serving {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &serving{url: "http://" + listener.Addr().String(), stop: stop, done: make(chan error, 1)}
	go func() { s.done <- api.Serve(ctx, listener, handler, timeouts) }()
	t.Cleanup(stop)
	return s
}

func status(t *testing.T, url string) int {
	t.Helper()
	answer, err := http.Get(url) //nolint:gosec // our own server
	if err != nil {
		t.Error(err)
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

func TestServe(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	store := &fakeStore{during: func(context.Context) { entered <- struct{}{}; <-leave }}
	s := serve(t, api.New(store, api.Options{}), api.Timeouts{Notice: time.Second})
	inFlight := make(chan int)
	go func() { inFlight <- status(t, s.url+"/v1/stock/TEE-M") }()
	<-entered
	if got := status(t, s.url+"/readyz"); got != 200 {
		t.Errorf("/readyz before: %d", got)
	}
	s.stop()
	for deadline := time.Now().Add(5 * time.Second); status(t, s.url+"/readyz") != 503; { // within Notice
		if time.Now().After(deadline) {
			t.Fatal("/readyz never turned 503")
		}
	}
	close(leave)
	if got := <-inFlight; got != 200 {
		t.Errorf("the call in flight: %d", got)
	}
	if err := <-s.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := http.Get(s.url + "/livez"); err == nil {
		t.Error("it still answers")
	}
}

func TestServeCutsOff(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan struct{})
	store := &fakeStore{during: func(ctx context.Context) { close(entered); <-ctx.Done(); close(ended) }}
	s := serve(t, api.New(store, api.Options{}), api.Timeouts{Drain: time.Millisecond})
	go func() { _, _ = http.Get(s.url + "/v1/stock/TEE-M") }()
	<-entered
	s.stop()
	if err := <-s.done; err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("Serve: %v", err)
	}
	<-ended
}
