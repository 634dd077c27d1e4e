package ledgertest_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// unfulfilled returns the event after which a reservation of three units has some fulfilled.
// Units that are carried come back to another location, which serves them then.
func unfulfilled(operation string, version, fulfilled, carried int64, to location.ID) wire.Event {
	e := ledgertest.Event(cache.VerbUnfulfill, cache.StateFulfilled, ledgertest.RecordOf(cache.StateConfirmed, version, 3, fulfilled))
	if carried > 0 {
		line := &e.Record.Lines[0]
		line.From[0].Quantity -= carried
		line.From = append(line.From, wire.RecordAllocation{Location: to, Quantity: carried})
		e.Carried = []wire.LevelDelta{{SKU: line.SKU, Location: ledgertest.At.Location, OnHand: -carried}, {SKU: line.SKU, Location: to, OnHand: carried}}
	}
	return operated(operation, e)
}

// before gives an event another state that it starts from.
func before(state cache.State, e wire.Event) wire.Event {
	e.StateBefore = state
	return e
}

// TestLedger_Unfulfill takes shipped units back to their reservation.
func TestLedger_Unfulfill(t *testing.T) {
	shipped := []wire.Event{
		ledgertest.Recount("count", 0, 5), ledgertest.Reserved(3), ledgertest.Confirmed(2, 3),
		ledgertest.Event(cache.VerbFulfill, cache.StateConfirmed, ledgertest.RecordOf(cache.StateFulfilled, 3, 3, 3)),
	}
	const (
		gone       = "TEE@berlin on hand 2 held 0 committed 0 safety 0 backorder 0\n"
		fulfilled  = "a 1 fulfilled 3 1700000600000 n1 1700000000000  f-a   |1 TEE 3 0 berlin 3 3\n"
		operations = "operation count n1 f-count\n"
	)
	lost := ledgertest.Recount("lost", 2, 0)
	counted := ledgertest.Recount("found", 0, 5)
	fewer := append(slices.Clone(shipped[:3]), ledgertest.Event(cache.VerbFulfill, cache.StateConfirmed, ledgertest.RecordOf(cache.StateConfirmed, 3, 3, 1)), ledgertest.Recount("lost", 4, 1))
	for _, c := range []struct {
		name   string
		events []wire.Event
		want   string
	}{
		{
			"to the location that they left from", append(slices.Clone(shipped), unfulfilled("un", 4, 1, 0, "")),
			"TEE@berlin on hand 4 held 0 committed 2 safety 0 backorder 0\n" +
				"a 1 confirmed 4 1700000600000 n1 1700000000000  f-a   |1 TEE 3 0 berlin 3 1\n" + operations + "operation un n1 f-un\n",
		},
		{
			"to a new level", append(slices.Clone(shipped), unfulfilled("un", 4, 1, 2, "lyon")),
			gone + "TEE@lyon on hand 2 held 0 committed 2 safety 0 backorder 0\n" +
				"a 1 confirmed 4 1700000600000 n1 1700000000000  f-a   |1 TEE 3 0 berlin 1 1 lyon 2 0\n" + operations + "operation un n1 f-un\n",
		},
		{
			"to a level that was removed", append(slices.Clone(shipped), removal("gone", 2), unfulfilled("un", 4, 2, 0, "")),
			"TEE@berlin on hand 1 held 0 committed 1 safety 0 backorder 0\n" +
				"a 1 confirmed 4 1700000600000 n1 1700000000000  f-a   |1 TEE 3 0 berlin 3 2\n" + operations + "operation gone n1 f-gone\noperation un n1 f-un\n",
		},
		{
			"of a level on which too much is sold", append(slices.Clone(fewer), before(cache.StateConfirmed, unfulfilled("un", 4, 0, 0, ""))),
			"TEE@berlin on hand 2 held 0 committed 3 safety 0 backorder 0\n" +
				"a 1 confirmed 4 1700000600000 n1 1700000000000  f-a   |1 TEE 3 0 berlin 3 0\n" + operations + "operation lost n1 f-lost\noperation un n1 f-un\n",
		},
		{
			"the id of another operation", append(slices.Clone(shipped), unfulfilled("count", 4, 1, 0, "")),
			gone + fulfilled + operations + `refused unfulfill of a v4 at 1-2/4: id_known {"operation":"count","nonce":"n1"}` + "\n",
		},
		{
			"of another version", append(slices.Clone(shipped), lost, counted, unfulfilled("un", 5, 1, 2, "lyon")),
			"TEE@berlin on hand 5 held 0 committed 0 safety 0 backorder 0\n" + fulfilled + operations + "operation found n1 f-found\noperation lost n1 f-lost\n" +
				`refused unfulfill of a v5 at 1-2/6: version ` +
				`{"levels":[{"sku":"TEE","location":"berlin","on_hand":-2,"safety_stock":0,"backorder_limit":0},` +
				`{"sku":"TEE","location":"lyon","on_hand":2,"safety_stock":0,"backorder_limit":0}],"operation":"un","nonce":"n1"}` + "\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range c.events {
				if c.events[i].Record.Version > 0 {
					c.events[i] = ledgertest.Born("a", c.events[i], "n1")
				}
			}
			ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
				b.Apply(b.Entry(c.events...))
				if got := unrecorded.ReplaceAllString(b.State(), ""); got != c.want {
					t.Errorf("%s\nwant:\n%s", got, c.want)
				}
			})
		})
	}
}

// drawUnfulfill draws an unfulfill of a fulfilled reservation.
func drawUnfulfill(t *rapid.T, id string) wire.Event {
	units := rapid.Int64Range(1, 4).Draw(t, "units")
	back := rapid.Int64Range(1, units).Draw(t, "back")
	e := unfulfilled(rapid.SampledFrom([]string{"un", "a"}).Draw(t, "operation"), rapid.Int64Range(3, 5).Draw(t, "version"), 0, 0, "")
	line := &e.Record.Lines[0]
	line.Requested = units
	line.From[0].Quantity, line.From[0].Fulfilled = units, units-back
	if rapid.Bool().Draw(t, "carried") {
		line.From[0].Quantity -= back
		line.From = append(line.From, wire.RecordAllocation{Location: "lyon", Quantity: back})
		if line.From[0].Quantity == 0 {
			line.From = line.From[1:]
		}
		e.Carried = []wire.LevelDelta{{SKU: line.SKU, Location: ledgertest.At.Location, OnHand: -back}, {SKU: line.SKU, Location: "lyon", OnHand: back}}
	}
	e.Record = maybeLimited(id, "n1", e.Record)
	return ledgertest.Born(id, e, "n1")
}
