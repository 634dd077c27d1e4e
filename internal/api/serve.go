package api

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// The limits of a connection.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second // whole request
	writeTimeout      = 30 * time.Second // from the end of the header; a durable call takes less
	idleTimeout       = 2 * time.Minute  // between requests
	headerBytesMax    = 16 << 10
	drainTimeout      = 20 * time.Second
)

// Timeouts configures the end of Serve. The zero value works.
type Timeouts struct {
	Drain time.Duration // for requests in flight at shutdown; default 20 s

	// Notice is how long /readyz answers 503 before new connections are refused, so that load
	// balancers stop sending first. Default none.
	Notice time.Duration
}

// Serve serves on listener until ctx ends. Then it calls the method Drain of handler, if there is
// one, waits for timeouts.Notice, refuses new connections, and gives requests in flight
// timeouts.Drain to finish. If some do not, Serve cuts them off and returns an error. Serve closes
// listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, timeouts Timeouts) error {
	server := &http.Server{
		Handler: handler, MaxHeaderBytes: headerBytesMax,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
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
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(timeouts.Drain, drainTimeout))
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(errors.New("http: requests still in flight were cut off"), err, server.Close())
	}
	return nil
}
