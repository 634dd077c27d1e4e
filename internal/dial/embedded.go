package dial

import (
	"github.com/alicebob/miniredis/v2"
)

// embedded is a Redis in this process. It listens on loopback, on a free port.
type embedded struct{ server *miniredis.Miniredis }

func startEmbedded() (*embedded, error) {
	server, err := miniredis.Run()
	if err != nil {
		return nil, err
	}
	return &embedded{server: server}, nil
}

func (e *embedded) address() string { return e.server.Addr() }

func (e *embedded) stop() { e.server.Close() }
