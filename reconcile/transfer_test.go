package reconcile

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// transferred moves units of the one level to another, as Redis has them.
func transferred(id string, to location.ID, units int64) cache.Event {
	return cache.Event{Verb: cache.VerbTransfer, ID: id, Fingerprint: "f-" + id, Reason: "closer", Levels: []cache.LevelEvent{
		{SKU: at.sku, Location: at.at, OnHandBefore: 9, OnHandAfter: 9 - units}, {SKU: at.sku, Location: to, OnHandAfter: units},
	}}
}

func TestLedger_Transfer(t *testing.T) {
	sold := []cache.Event{recount("count", 0, 5), born("a", reserved(3), "n1"), born("a", confirmed(2, 3), "n1")}
	for _, c := range []struct {
		name   string
		events []cache.Event
		want   string
		short  cache.Shortage
	}{
		{
			"to a new level", []cache.Event{recount("count", 0, 5), transferred("op", "lyon", 2)},
			"TEE@berlin on hand 3 held 0 committed 0 safety 0 backorder 0\nTEE@lyon on hand 2 held 0 committed 0 safety 0 backorder 0\n", cache.Shortage{},
		},
		{
			"once", []cache.Event{recount("count", 0, 5), transferred("op", "lyon", 2), transferred("op", "lyon", 2)},
			"TEE@berlin on hand 3 held 0 committed 0 safety 0 backorder 0\nTEE@lyon on hand 2 held 0 committed 0 safety 0 backorder 0\n", cache.Shortage{},
		},
		{
			"more than there is", []cache.Event{recount("count", 0, 1), transferred("op", "lyon", 2)},
			"TEE@berlin on hand 1 held 0 committed 0 safety 0 backorder 0\n", cache.Shortage{SKU: "TEE", Requested: 2, Available: 1},
		},
		{
			"what is sold", append(sold, transferred("op", "lyon", 3)),
			"TEE@berlin on hand 5 held 0 committed 3 safety 0 backorder 0\n", cache.Shortage{SKU: "TEE", Requested: 3, Available: 2},
		},
		{
			"beside what is sold", append(sold, transferred("op", "lyon", 2)),
			"TEE@berlin on hand 3 held 0 committed 3 safety 0 backorder 0\nTEE@lyon on hand 2 held 0 committed 0 safety 0 backorder 0\n", cache.Shortage{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachLedger(t, func(t *testing.T, b *bench) {
				e := b.entry(c.events...)
				refusals := b.apply(e)
				if got := b.levels(); got != c.want {
					t.Errorf("%s\nwant:\n%s", got, c.want)
				}
				var short *cache.InsufficientError
				for i := range refusals {
					if err := refusals[i].answer(); c.short.SKU != "" && (!errors.As(err, &short) || short.Shortages[0] != c.short) {
						t.Errorf("answered %v, want %+v", err, c.short)
					}
				}
				if (c.short.SKU != "") != (short != nil) {
					t.Errorf("refusals %+v", refusals)
				}
			})
		})
	}
}

// TestScenario_Transfer has units be at another location in Redis and the ledger, also after a rebuild, and
// a transfer that was repeated move them once.
func TestScenario_Transfer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	i.reserve("a", "TEE", 4)
	i.confirm("a")
	move := cache.TransferRequest{ID: "op", SKU: "TEE", From: "berlin", To: "lyon", Quantity: 6, Reason: "closer", Actor: "anna"}
	done, err := i.store.Transfer(t.Context(), move)
	if err != nil || !done.Durable || done.Replay || !done.To.Created || done.From.OnHand != 4 {
		t.Fatalf("%+v, %v", done, err)
	}
	must(t, i.client.HDel(t.Context(), "{holdfast:0}:operations", "op").Err()) // as after the retention
	if again, err := i.store.Transfer(t.Context(), move); err != nil || !again.Replay || !again.At.Equal(done.At) || again.To.OnHand != 6 {
		t.Errorf("again: %+v, %v", again, err)
	}
	var rows, net int64
	must(t, r.pool.QueryRow(t.Context(), `select count(*), sum(on_hand) from movements
where verb = 'transfer' and operation_id = 'op' and reason = 'closer' and actor = 'anna'`).Scan(&rows, &net))
	if rows != 2 || net != 0 {
		t.Errorf("%d movements of %d units in all", rows, net)
	}
	must(t, i.client.FlushAll(t.Context()).Err())
	i.open(5 * time.Second)
	if again, err := i.store.Transfer(t.Context(), move); err != nil || !again.Replay || again.From.OnHand != 4 || again.To.OnHand != 6 {
		t.Errorf("rebuilt: %+v, %v", again, err)
	}
	if known, err := i.client.HExists(t.Context(), "{holdfast:0}:operations", "op").Result(); err != nil || !known {
		t.Errorf("its id is in Redis: %v, %v", known, err)
	}
	r.check()
}

// TestScenario_TransferRefused has Redis transfer units that the ledger does not have: both levels are as
// they were.
func TestScenario_TransferRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	i.count("TEE", "lyon", 1)
	const level = "TEE\x1fberlin"
	edit := func(units int64) {
		must(t, i.client.HSet(t.Context(), "{holdfast:0}:levels", level, "30\x1f0\x1f0\x1f0").Err())
		must(t, i.client.HIncrBy(t.Context(), "{holdfast:0}:stock", level, units).Err())
	}
	edit(20) // by hand
	_, err := i.store.Transfer(t.Context(), cache.TransferRequest{ID: "op", SKU: "TEE", From: "berlin", To: "lyon", Quantity: 25})
	var short *cache.InsufficientError
	if !errors.As(err, &short) || short.Shortages[0].Available != 10 {
		t.Errorf("moved what is not there: %v", err)
	}
	r.quiesce()
	must(t, i.client.HSet(t.Context(), "{holdfast:0}:levels", level, "10\x1f0\x1f0\x1f0").Err())
	must(t, i.client.HIncrBy(t.Context(), "{holdfast:0}:stock", level, -20).Err())
	r.check()
}
