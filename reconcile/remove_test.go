package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// removal takes the one level away, of which Redis had so many on hand.
func removal(id string, onHand int64) cache.Event {
	return cache.Event{Verb: cache.VerbRemove, ID: id, Fingerprint: "f-" + id, Levels: []cache.LevelEvent{
		{SKU: at.sku, Location: at.at, OnHandBefore: onHand},
	}}
}

// TestLedger_Remove has levels be taken away, together with what came before and after in one batch, and
// one by one.
func TestLedger_Remove(t *testing.T) {
	sold := []cache.Event{recount("count", 0, 5), born("a", reserved(2), "n1"), born("a", confirmed(2, 2), "n1")}
	for _, c := range []struct {
		name   string
		events []cache.Event
		want   string
	}{
		{"unused", []cache.Event{recount("count", 0, 5), removal("op", 5)}, "operation count n1 f-count\noperation op n1 f-op\n"},
		{
			"whatever Redis had on hand", []cache.Event{recount("count", 0, 5), removal("op", 3), recount("again", 0, 7)},
			"TEE@berlin on hand 7 held 0 committed 0 safety 0 backorder 0\noperation again n1 f-again\n" +
				"operation count n1 f-count\noperation op n1 f-op\n",
		},
		{
			"in use", append(sold, removal("op", 5)),
			"TEE@berlin on hand 5 held 0 committed 2 safety 0 backorder 0\n" +
				"a 1 confirmed 2 1700000600000 n1 1700000000000  f-a   |1 TEE 2 0 berlin 2 0\noperation count n1 f-count\n" +
				`refused remove of op v1 at 1-2/3: in_use {"levels":[{"sku":"TEE","location":"berlin","on_hand":-5,"safety_stock":0,` +
				`"backorder_limit":0,"removed":true}],"committed":2}` + "\n",
		},
		{
			"not there", []cache.Event{removal("op", 0)},
			`refused remove of op v1 at 1-2/0: unknown_level {"levels":[{"sku":"TEE","location":"berlin","on_hand":0,"safety_stock":0,` +
				`"backorder_limit":0,"removed":true}]}` + "\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachLedger(t, func(t *testing.T, b *bench) {
				e := b.entry(c.events...)
				refusals := b.apply(e)
				if got := b.state(); got != c.want {
					t.Errorf("%s\nwant:\n%s", got, c.want)
				}
				for i := range refusals {
					var used *cache.InUseError
					if err := refusals[i].answer(); c.name == "in use" && (!errors.As(err, &used) || used.Committed != 2 || used.What != "TEE at berlin") {
						t.Errorf("answered %v", err)
					}
				}
			})
			eachLedger(t, func(t *testing.T, b *bench) {
				if strings.Contains(c.want, "refused") {
					return // stands at another place
				}
				for i := range c.events {
					b.apply(b.entry(c.events[i]))
				}
				if got, want := len(strings.Split(b.state(), "\n")), len(strings.Split(c.want, "\n")); got != want {
					t.Errorf("one by one:\n%s", b.state())
				}
			})
		})
	}
}

// TestScenario_Remove has a level be gone from Redis and the ledger, and stay so after a rebuild.
func TestScenario_Remove(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	i.count("TEE", "lyon", 3)
	i.reserve("a", "TEE", 2)
	remove := cache.RemoveRequest{SKU: "TEE", Location: "berlin"}
	var used *cache.InUseError
	if _, err := i.store.Remove(t.Context(), remove); !errors.As(err, &used) || used.Held != 2 || used.Committed != 0 {
		t.Errorf("removed while units are held: %v", err)
	}
	i.confirm("a")
	if _, err := i.store.Remove(t.Context(), remove); !errors.As(err, &used) || used.Held != 0 || used.Committed != 2 {
		t.Errorf("removed while units are committed: %v", err)
	}
	if _, err := i.store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if done, err := i.store.Remove(t.Context(), remove); err != nil || !done.Durable {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := i.store.Remove(t.Context(), remove); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("removed again: %v", err)
	}
	must(t, i.client.FlushAll(t.Context()).Err())
	i.open(5 * time.Second)
	levels, err := i.store.Levels(t.Context(), "TEE")
	if err != nil || len(levels) != 1 || levels[0].Location != "lyon" {
		t.Errorf("rebuilt: %+v, %v", levels, err)
	}
	i.count("TEE", "berlin", 4)
	r.check()
}

// TestScenario_RemoveRefused has Redis not know that units of a level are sold: the ledger refuses that it
// is removed, and it is there again.
func TestScenario_RemoveRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	i.reserve("a", "TEE", 2)
	i.confirm("a")
	const level = "TEE\x1fberlin"
	edit := func(counts string, available int) {
		must(t, i.client.HSet(t.Context(), "{holdfast:0}:levels", level, strings.ReplaceAll(counts, " ", "\x1f")).Err())
		must(t, i.client.HSet(t.Context(), "{holdfast:0}:stock", level, available).Err())
	}
	edit("10 0 0 0", 10) // by hand
	remove := cache.RemoveRequest{ID: "op", SKU: "TEE", Location: "berlin"}
	var used *cache.InUseError
	if _, err := i.store.Remove(t.Context(), remove); !errors.As(err, &used) || used.Committed != 2 {
		t.Errorf("removed: %v", err)
	}
	r.quiesce()
	if n := i.available("TEE"); n != 10 {
		t.Errorf("%d are available, want those that were before", n)
	}
	edit("10 2 0 0", 8)
	if _, err := i.store.Release(t.Context(), cache.TransitionRequest{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if done, err := i.store.Remove(t.Context(), remove); err != nil || done.Replay {
		t.Errorf("the id is free again: %+v, %v", done, err)
	}
	r.check()
}

// TestScenario_RemoveUnanswered has a removal not be answered for want of a ledger: nobody is told that the
// level is gone until it is gone for good.
func TestScenario_RemoveUnanswered(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.started(nil)
	s.quiesce()
	s.postgres.Kill()
	remove := cache.RemoveRequest{SKU: "TEE", Location: "berlin"}
	for range 2 {
		if _, err := i.store.Remove(t.Context(), remove); !errors.Is(err, cache.ErrNotDurable) {
			t.Errorf("without a ledger: %v", err)
		}
	}
	s.postgres.Restart()
	s.await("it is gone", 10*time.Second, func() error {
		_, err := i.store.Remove(context.Background(), remove)
		if errors.Is(err, cache.ErrNotFound) {
			return nil
		}
		return fmt.Errorf("%w", err)
	})
	s.check()
}
