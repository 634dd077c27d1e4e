package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// The limits of a connection. A caller that is slower holds a connection for nothing.
const (
	ReadHeaderTimeout = 5 * time.Second
	ReadTimeout       = 15 * time.Second
	WriteTimeout      = 30 * time.Second // from the end of the header; a durable call waits less
	IdleTimeout       = 2 * time.Minute
	HeaderBytesMax    = 16 << 10
	DrainTimeout      = 20 * time.Second
)

// Timeouts of Serve. The zero value works.
type Timeouts struct {
	ReadHeader time.Duration // default ReadHeaderTimeout
	Read       time.Duration // whole request; default ReadTimeout
	Write      time.Duration // default WriteTimeout
	Idle       time.Duration // between requests of a connection; default IdleTimeout
	Drain      time.Duration // for what is in flight at shutdown; default DrainTimeout

	// Notice is how long /readyz answers 503 before new connections are refused, so that a load
	// balancer can look away first. Default none.
	Notice time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&t.ReadHeader, ReadHeaderTimeout}, {&t.Read, ReadTimeout}, {&t.Write, WriteTimeout},
		{&t.Idle, IdleTimeout}, {&t.Drain, DrainTimeout},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	return t
}

// Serve answers on listener until ctx ends. Then it tells handler to Drain, if it can, waits for
// Timeouts.Notice, refuses new connections, and finishes what is in flight, within Timeouts.Drain.
// What is still not done then is cut off, and the error says so. It closes listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, timeouts Timeouts) error {
	timeouts = timeouts.withDefaults()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: timeouts.ReadHeader,
		ReadTimeout:       timeouts.Read,
		WriteTimeout:      timeouts.Write,
		IdleTimeout:       timeouts.Idle,
		MaxHeaderBytes:    HeaderBytesMax,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	if d, ok := handler.(interface{ Drain() }); ok {
		d.Drain()
	}
	select {
	case err := <-failed:
		return err
	case <-time.After(timeouts.Notice):
	}
	// ctx has ended; what is in flight has its own time.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeouts.Drain)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(errors.New("http: requests still in flight were cut off"), err, server.Close())
	}
	return nil
}
