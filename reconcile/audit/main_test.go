package audit_test

import (
	"os"
	"testing"

	"github.com/holdfast/holdfast/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
