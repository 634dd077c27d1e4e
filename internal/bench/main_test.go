package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/holdfast/holdfast/internal/pgtest"
)

// quiet discards the log of the client library.
type quiet struct{}

// Printf discards a message.
func (quiet) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	redis.SetLogger(quiet{})
	code := pgtest.Main(m)
	// A closed client keeps dialling a dead Redis for up to a second.
	dialling := goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial")
	if err := goleak.Find(dialling); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
