package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

const headerTimeout = 5 * time.Second // for a request to arrive

// monitor serves the metrics at an address of their own. The zero monitor serves nothing.
type monitor struct {
	listener net.Listener
	handler  http.Handler
}

// newMonitor opens the address of metrics.listen. If only this machine can reach it, it also serves
// profiles, which show the memory of the process.
func newMonitor(address string, metrics http.Handler, logger *slog.Logger) (*monitor, error) {
	if address == "" {
		return &monitor{}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: free the address, or set metrics.listen to another", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	if at, ok := listener.Addr().(*net.TCPAddr); ok && at.IP.IsLoopback() {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", http.NotFound) // flags may have secrets
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	logger.Info("metrics on http://"+listener.Addr().String()+"/metrics", "metrics", listener.Addr().String())
	return &monitor{listener, mux}, nil
}

// run serves until ctx ends. A profile may take minutes, so nothing bounds an answer.
func (m *monitor) run(ctx context.Context) error {
	if m.listener == nil {
		return nil
	}
	server := &http.Server{Handler: m.handler, ReadHeaderTimeout: headerTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// other returns the metrics for the address of the API, or nil if they have one of their own.
func (m *monitor) other(metrics http.Handler) http.Handler {
	if m.listener != nil {
		return nil
	}
	return metrics
}
