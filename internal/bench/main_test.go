package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/pgtest"
)

// quiet drops what the client library says by itself.
type quiet struct{}

// Printf drops a message.
func (quiet) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	redis.SetLogger(quiet{})
	code := pgtest.Main(m)
	// The client goes on dialling a Redis that is gone until a second after it was closed.
	dialling := goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial")
	if err := goleak.Find(dialling); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
