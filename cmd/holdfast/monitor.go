package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/metrics"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	headerTimeout = 5 * time.Second // for a request to arrive
	lookEvery     = time.Second     // at what /readyz answers
)

// health remembers what /readyz would answer, so that a scrape never waits for Redis.
type health struct {
	store  *cache.Store
	ledger ledger.Ledger
	now    atomic.Pointer[metrics.Health]
}

// run looks every lookEvery until ctx ends.
func (h *health) run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.look(ctx)
		}
	}
}

func (h *health) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	h.now.Store(&metrics.Health{Ready: h.store.Ready(ctx) == nil, Degraded: len(degraded(h.ledger))})
}

// last returns what the last look saw.
func (h *health) last() metrics.Health {
	if now := h.now.Load(); now != nil {
		return *now
	}
	return metrics.Health{}
}

// monitor serves the metrics at an address of their own. The zero monitor serves nothing.
type monitor struct {
	listener net.Listener
	handler  http.Handler
}

// newMonitor opens the address of metrics.listen. If only this machine can reach it, it also serves
// profiles, which show the memory of the process.
func newMonitor(address string, scrape http.Handler, logger *slog.Logger) (*monitor, error) {
	if address == "" {
		return &monitor{}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: free the address, or set metrics.listen to another", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scrape)
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
func (m *monitor) other(scrape http.Handler) http.Handler {
	if m.listener != nil {
		return nil
	}
	return scrape
}
