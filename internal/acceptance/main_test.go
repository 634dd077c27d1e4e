package acceptance

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/internal/pgtest"
)

// The program under test, built once. The one for a real Redis looks for data races where these
// tests do. The embedded engine reads each script anew at every call, which takes ten times as long
// then; the program around it is the same.
var onEmbedded, onRedis string

func TestMain(m *testing.M) {
	flag.Parse()
	// Most of what takes time here waits for a clock: a deadline, a time-out.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "holdfast-acceptance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	onEmbedded, onRedis = filepath.Join(dir, "holdfast"), filepath.Join(dir, "holdfast-raced")
	builds, ctx := errgroup.WithContext(context.Background())
	builds.Go(func() error { return build(ctx, onEmbedded) })
	if raced {
		builds.Go(func() error { return build(ctx, onRedis, "-race") })
	} else {
		onRedis = onEmbedded
	}
	if err := builds.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return pgtest.Main(m)
}

// readSources reads every folder of the module. The go command takes a result from its cache where
// nothing has changed that a test has read; what TestMain has built it doesn't know.
var readSources = sync.OnceValue(func() error {
	return filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		return err
	})
})

func build(ctx context.Context, to string, flags ...string) error {
	args := append([]string{"build", "-buildvcs=false", "-o", to}, flags...)
	c := exec.CommandContext(ctx, "go", append(args, "github.com/holdfast/holdfast/cmd/holdfast")...)
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", c, err, output)
	}
	return nil
}
