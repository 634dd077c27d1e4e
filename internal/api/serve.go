package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// The default timeouts and limits of a connection.
const (
	ReadHeaderTimeout = 5 * time.Second
	ReadTimeout       = 15 * time.Second
	WriteTimeout      = 30 * time.Second // from the end of the header; a durable call takes less
	IdleTimeout       = 2 * time.Minute
	HeaderBytesMax    = 16 << 10
	DrainTimeout      = 20 * time.Second
)

// Timeouts configures Serve. The zero value works.
type Timeouts struct {
	ReadHeader time.Duration // default ReadHeaderTimeout
	Read       time.Duration // whole request; default ReadTimeout
	Write      time.Duration // default WriteTimeout
	Idle       time.Duration // between requests of a connection; default IdleTimeout
	Drain      time.Duration // for requests in flight at shutdown; default DrainTimeout

	// Notice is how long /readyz answers 503 before new connections are refused, so that load
	// balancers stop sending first. Default none.
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

// Serve serves on listener until ctx ends. Then it calls the method Drain of handler, if there is
// one, waits for timeouts.Notice, refuses new connections, and gives requests in flight
// timeouts.Drain to finish. If some do not, Serve cuts them off and returns an error. Serve closes
// listener.
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
	// ctx has ended; requests in flight have their own time.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeouts.Drain)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(errors.New("http: requests still in flight were cut off"), err, server.Close())
	}
	return nil
}
