package reconcile_test

import (
	"flag"
	"os"
	"testing"

	"github.com/holdfast/holdfast/internal/pgtest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		_ = flag.Set("test.parallel", "10") // these tests mostly wait, for deadlines and for servers
	}
	os.Exit(pgtest.Main(m))
}
