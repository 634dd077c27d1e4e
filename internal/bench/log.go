package bench

import (
	"context"
	"log/slog"
)

// warnings drops what is no warning: a reconciler that begins, once a round.
type warnings struct{ slog.Handler }

// Enabled is false for what is no warning.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}
