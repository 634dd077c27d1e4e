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

// The paths of the program under test, which is built once. If the tests run with the race detector, so
// does the program on a real Redis. The one on the embedded engine does not: that engine parses each script
// at every call, which the race detector makes ten times slower.
var onEmbedded, onRedis string

func TestMain(m *testing.M) {
	flag.Parse()
	// Most of these tests wait for a deadline or a time-out, not for a processor.
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

// readSources reads every folder of the module. go test may take a result from its cache unless a file
// that the test has read changes. It does not know which files TestMain has built.
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
