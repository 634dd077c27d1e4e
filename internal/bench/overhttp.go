package bench

import (
	"context"
	"errors"

	"github.com/holdfast/holdfast/internal/api"
)

// overHTTP is Holdfast as `holdfast serve` has it, but for metrics.
type overHTTP struct {
	*library
	server *served
}

func openOverHTTP(ctx context.Context, r *rig, s *scene) (seller, error) {
	library, err := newLibrary(ctx, r, s)
	if err != nil {
		return nil, err
	}
	handler := api.New(library.store, api.Options{TTL: holdFor, Logger: r.options.Logger})
	server, err := serve(handler, r.options.Callers)
	if err != nil {
		return nil, errors.Join(err, library.close(ctx))
	}
	return &overHTTP{library, server}, nil
}

func (h *overHTTP) reserve(ctx context.Context, caller int, o *order) (outcome, error) {
	return h.server.reserve(ctx, caller, o)
}

func (h *overHTTP) confirm(ctx context.Context, caller int, o *order) (outcome, error) {
	return h.server.confirm(ctx, caller, o)
}

func (h *overHTTP) close(ctx context.Context) error {
	return errors.Join(h.server.close(), h.library.close(ctx))
}
