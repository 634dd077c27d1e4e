package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestScenario_Remove removes a level from Redis and the ledger: it must stay removed after a
// rebuild.
func TestScenario_Remove(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("TEE", "lyon", 3)
	i.Reserve("a", "TEE", 2)
	remove := cache.RemoveRequest{SKU: "TEE", Location: "berlin"}
	var used *cache.InUseError
	if _, err := i.Store.Remove(t.Context(), remove); !errors.As(err, &used) || used.Held != 2 || used.Committed != 0 {
		t.Errorf("removed while units are held: %v", err)
	}
	i.Confirm("a")
	if _, err := i.Store.Remove(t.Context(), remove); !errors.As(err, &used) || used.Held != 0 || used.Committed != 2 {
		t.Errorf("removed while units are committed: %v", err)
	}
	if _, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if done, err := i.Store.Remove(t.Context(), remove); err != nil || !done.Durable {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := i.Store.Remove(t.Context(), remove); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("removed again: %v", err)
	}
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	levels, err := i.Store.Levels(t.Context(), "TEE")
	if err != nil || len(levels) != 1 || levels[0].Location != "lyon" {
		t.Errorf("rebuilt: %+v, %v", levels, err)
	}
	i.Count("TEE", "berlin", 4)
	r.Check()
}

// TestScenario_RemoveRefused removes a level of which Redis does not know that units are sold. The
// ledger must refuse that, and Redis must have the level again.
func TestScenario_RemoveRefused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 2)
	i.Confirm("a")
	const level = "TEE\x1fberlin"
	edit := func(counts string, available int) {
		reconciletest.Must(t, i.Client.HSet(t.Context(), "{holdfast:0}:levels", level, strings.ReplaceAll(counts, " ", "\x1f")).Err())
		reconciletest.Must(t, i.Client.HSet(t.Context(), "{holdfast:0}:stock", level, available).Err())
	}
	edit("10 0 0 0", 10) // by hand
	remove := cache.RemoveRequest{ID: "op", SKU: "TEE", Location: "berlin"}
	var used *cache.InUseError
	if _, err := i.Store.Remove(t.Context(), remove); !errors.As(err, &used) || used.Committed != 2 {
		t.Errorf("removed: %v", err)
	}
	r.Quiesce()
	if n := i.Available("TEE"); n != 10 {
		t.Errorf("%d are available, want as many as before", n)
	}
	edit("10 2 0 0", 8)
	if _, err := i.Store.Release(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if done, err := i.Store.Remove(t.Context(), remove); err != nil || done.Replay {
		t.Errorf("the id is free again: %+v, %v", done, err)
	}
	r.Check()
}

// TestScenario_RemoveWithoutLedger removes a level while the ledger is down: no caller may be told
// that it is gone before the ledger has removed it.
func TestScenario_RemoveWithoutLedger(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.Started(nil)
	s.Quiesce()
	s.postgres.Kill()
	remove := cache.RemoveRequest{SKU: "TEE", Location: "berlin"}
	for range 2 {
		if _, err := i.Store.Remove(t.Context(), remove); !errors.Is(err, cache.ErrNotDurable) {
			t.Errorf("without a ledger: %v", err)
		}
	}
	s.postgres.Restart()
	s.Await("it is gone", 10*time.Second, func() error {
		_, err := i.Store.Remove(context.Background(), remove)
		if errors.Is(err, cache.ErrNotFound) {
			return nil
		}
		return fmt.Errorf("%w", err)
	})
	s.Check()
}
