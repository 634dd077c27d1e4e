package directory_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
)

// TestFollow checks that each version is put into use once, and also that there is none.
func TestFollow(t *testing.T) {
	var used []string
	ledger := memory.New()
	f := &directory.Follow{Directories: ledger, Logger: slog.New(slog.DiscardHandler), Use: func(r *location.Rules) {
		if r == nil {
			used = append(used, "none")
			return
		}
		used = append(used, fmt.Sprint(r.Locations()))
	}}
	once := func(want ...string) {
		t.Helper()
		if err := f.Once(t.Context()); err != nil || !reflect.DeepEqual(used, want) {
			t.Errorf("%v used %q, want %q", err, used, want)
		}
	}
	once("none")
	once("none")
	if _, _, err := ledger.ApplyDirectory(t.Context(), ledgertest.Warehouses("berlin"), 0, cache.By{}); err != nil {
		t.Fatal(err)
	}
	once("none", "[berlin]")
	once("none", "[berlin]")
	f.Directories = failing{}
	if err := f.Once(t.Context()); !errors.Is(err, cache.ErrNotDurable) || len(used) != 2 {
		t.Errorf("%v used %q", err, used)
	}
}

// failing is a directory that cannot be read.
type failing struct{ directory.Directories }

func (failing) Directory(context.Context, int64) (directory.Directory, bool, error) {
	return directory.Directory{}, false, cache.ErrNotDurable
}
