package ledgertest_test

import (
	"errors"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// transferred returns the event that moves units from the level At to another location.
func transferred(id string, to location.ID, units int64) wire.Event {
	return wire.Event{Verb: cache.VerbTransfer, ID: id, Fingerprint: "f-" + id, Reason: "closer", Levels: []wire.LevelEvent{
		{SKU: ledgertest.At.SKU, Location: ledgertest.At.Location, OnHandBefore: 9, OnHandAfter: 9 - units}, {SKU: ledgertest.At.SKU, Location: to, OnHandAfter: units},
	}}
}

// TestLedger_Transfer moves units that are not sold.
func TestLedger_Transfer(t *testing.T) {
	sold := []wire.Event{ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(3), "n1"), ledgertest.Born("a", ledgertest.Confirmed(2, 3), "n1")}
	for _, c := range []struct {
		name   string
		events []wire.Event
		want   string
		short  cache.Shortage
	}{
		{
			"to a new level", []wire.Event{ledgertest.Recount("count", 0, 5), transferred("op", "lyon", 2)},
			"TEE@berlin on hand 3 held 0 committed 0 safety 0 backorder 0\nTEE@lyon on hand 2 held 0 committed 0 safety 0 backorder 0\n", cache.Shortage{},
		},
		{
			"the same transfer twice", []wire.Event{ledgertest.Recount("count", 0, 5), transferred("op", "lyon", 2), transferred("op", "lyon", 2)},
			"TEE@berlin on hand 3 held 0 committed 0 safety 0 backorder 0\nTEE@lyon on hand 2 held 0 committed 0 safety 0 backorder 0\n", cache.Shortage{},
		},
		{
			"more than is on hand", []wire.Event{ledgertest.Recount("count", 0, 1), transferred("op", "lyon", 2)},
			"TEE@berlin on hand 1 held 0 committed 0 safety 0 backorder 0\n", cache.Shortage{SKU: "TEE", Requested: 2, Available: 1},
		},
		{
			"more than is not sold", append(sold, transferred("op", "lyon", 3)),
			"TEE@berlin on hand 5 held 0 committed 3 safety 0 backorder 0\n", cache.Shortage{SKU: "TEE", Requested: 3, Available: 2},
		},
		{
			"all that is not sold", append(sold, transferred("op", "lyon", 2)),
			"TEE@berlin on hand 3 held 0 committed 3 safety 0 backorder 0\nTEE@lyon on hand 2 held 0 committed 0 safety 0 backorder 0\n", cache.Shortage{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
				e := b.Entry(c.events...)
				refusals := b.Apply(e)
				if got := b.Levels(); got != c.want {
					t.Errorf("%s\nwant:\n%s", got, c.want)
				}
				var short *cache.InsufficientError
				for i := range refusals {
					if err := refusals[i].Answer(); c.short.SKU != "" && (!errors.As(err, &short) || short.Shortages[0] != c.short) {
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
