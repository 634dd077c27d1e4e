package dial

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// LogTo sends what the client library says by itself to logger, at debug level: whatever matters
// comes back as the error of a call. The library has one logger for the whole process.
func LogTo(logger *slog.Logger) { redis.SetLogger(library{logger}) }

type library struct{ to *slog.Logger }

// Printf logs one message of the library.
func (l library) Printf(ctx context.Context, format string, args ...any) {
	if l.to.Enabled(ctx, slog.LevelDebug) {
		l.to.DebugContext(ctx, fmt.Sprintf(format, args...))
	}
}
