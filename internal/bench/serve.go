package bench

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/holdfast/holdfast/internal/api"
)

// served is a contender behind HTTP, on loopback, in this process.
type served struct {
	*wire
	stop  context.CancelFunc
	ended chan error
}

func serve(handler http.Handler, callers int) (*served, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	s := &served{wire: newWire(listener.Addr().String(), callers), stop: stop, ended: make(chan error, 1)}
	go func() { s.ended <- api.Serve(running, listener, handler, api.Timeouts{}) }()
	return s, nil
}

func (s *served) close() error {
	s.wire.close()
	s.stop()
	if err := <-s.ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
