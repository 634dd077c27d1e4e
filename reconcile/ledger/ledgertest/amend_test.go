package ledgertest_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// recordLine returns a line of a record with units at some locations.
func recordLine(name string, sku location.SKU, units int64, at ...location.ID) wire.RecordLine {
	l := wire.RecordLine{Line: name, SKU: sku, Requested: units * int64(len(at))}
	for _, id := range at {
		l.From = append(l.From, wire.RecordAllocation{Location: id, Quantity: units})
	}
	return l
}

// amendedTo returns the event that gives reservation a other lines.
func amendedTo(operation string, state cache.State, version int64, lines ...wire.RecordLine) wire.Event {
	e := ledgertest.Event(cache.VerbAmend, state, ledgertest.RecordOf(state, version, 1, 0))
	e.Record.Lines, e.Operation, e.Fingerprint = lines, operation, "f-"+operation
	e = ledgertest.Born("a", e, "n1")
	e.Record.Customer = "ann"
	return e
}

// TestLedger_Amend changes, adds and removes lines.
func TestLedger_Amend(t *testing.T) {
	count := func(sku location.SKU, at location.ID, units int64) wire.Event {
		e := ledgertest.Recount("count-"+string(sku)+string(at), 0, units)
		e.Levels[0].SKU, e.Levels[0].Location = sku, at
		return e
	}
	held, sold := ledgertest.Born("a", ledgertest.Reserved(3), "n1"), ledgertest.Born("a", ledgertest.Confirmed(2, 3), "n1")
	held.Record.Customer, sold.Record.Customer = "ann", "ann"
	limited := recordLine("1", "TEE", 4, "berlin")
	limited.Limits = []wire.RecordLimit{{ID: "tees", Most: 6, Each: 1}}
	kit := recordLine("2", "CAP", 2, "lyon")
	kit.Kit = &wire.RecordKit{SKU: "SET", Each: 2}
	const levels = "CAP@lyon on hand 9 held 0 committed 0 safety 0 backorder 0\n"
	for _, c := range []struct {
		name   string
		events []wire.Event
		want   []string // parts of the state
	}{
		{
			"more, and a new line", []wire.Event{held, amendedTo("chg", "held", 2, recordLine("1", "TEE", 5, "berlin"), recordLine("2", "CAP", 1, "lyon"))},
			[]string{
				"CAP@lyon on hand 9 held 1 committed 0", "TEE@berlin on hand 5 held 5 committed 0", "operation chg n1 f-chg",
				"a 1 held 2 1700000600000 n1 1700000000000  f-a  ann |1 TEE 5 0 berlin 5 0|2 CAP 1 0 lyon 1 0\n",
			},
		},
		{
			"the first line removed", []wire.Event{
				held, amendedTo("chg", "held", 2, recordLine("1", "TEE", 5, "berlin"), recordLine("2", "CAP", 1, "lyon")),
				amendedTo("more", "held", 3, recordLine("2", "CAP", 4, "lyon"), recordLine("3", "TEE", 1, "berlin")),
			},
			[]string{
				"CAP@lyon on hand 9 held 4 committed 0", "TEE@berlin on hand 5 held 1 committed 0",
				"a 1 held 3 1700000600000 n1 1700000000000  f-a  ann |2 CAP 4 0 lyon 4 0|3 TEE 1 0 berlin 1 0\n",
			},
		},
		{
			"a limit and a kit", []wire.Event{held, amendedTo("chg", "held", 2, limited, kit)},
			[]string{"limit tees of ann counts 4", "6 1 tees TEE 4 0 berlin 4 0", "2 CAP 2 0 lyon 2 0\n"},
		},
		{
			"a sale", []wire.Event{held, sold, amendedTo("chg", "confirmed", 3, recordLine("1", "TEE", 5, "berlin"), recordLine("2", "CAP", 1, "lyon"))},
			[]string{"CAP@lyon on hand 9 held 0 committed 1", "TEE@berlin on hand 5 held 0 committed 5", "a 1 confirmed 3"},
		},
		{
			"units that do not exist", []wire.Event{held, sold, amendedTo("chg", "confirmed", 3, recordLine("1", "TEE", 6, "berlin"), recordLine("2", "CAP", 1, "lyon"))},
			[]string{levels, "TEE@berlin on hand 5 held 0 committed 3", "a 1 confirmed 2", `refused amend of a v3 at 1-2/4: oversold {"shortages":[{"Line":"1","SKU":"TEE","Requested":6,"Available":5}]`},
		},
		{
			"a level that does not exist", []wire.Event{held, amendedTo("chg", "held", 2, recordLine("1", "TEE", 3, "berlin"), recordLine("2", "HAT", 1, "lyon"))},
			[]string{levels, "TEE@berlin on hand 5 held 3 committed 0", "a 1 held 1", "refused amend of a v2 at 1-2/3: unknown_level"},
		},
		{
			"the id of another operation", []wire.Event{held, amendedTo("count-CAPlyon", "held", 2, recordLine("1", "TEE", 4, "berlin"))},
			[]string{"TEE@berlin on hand 5 held 3 committed 0", "a 1 held 1", "refused amend of a v2 at 1-2/3: id_known"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
				b.Apply(b.Entry(append([]wire.Event{count("CAP", "lyon", 9), ledgertest.Recount("count", 0, 5)}, c.events...)...))
				got := b.State()
				for _, want := range c.want {
					if !strings.Contains(got, want) {
						t.Errorf("%s\nhas no %q", got, want)
					}
				}
			})
		})
	}
}

// TestLedger_AmendInBatches applies each event in a batch of its own, and all in one.
func TestLedger_AmendInBatches(t *testing.T) {
	held := ledgertest.Born("a", ledgertest.Reserved(3), "n1")
	held.Record.Customer = "ann"
	events := []wire.Event{
		ledgertest.Recount("count", 0, 9), held,
		amendedTo("chg", "held", 2, recordLine("1", "TEE", 2, "berlin"), recordLine("2", "TEE", 1, "berlin")),
		amendedTo("more", "held", 3, recordLine("2", "TEE", 2, "berlin"), recordLine("3", "TEE", 1, "berlin"), recordLine("4", "TEE", 1, "berlin")),
		amendedTo("less", "held", 4, recordLine("3", "TEE", 2, "berlin")),
	}
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		for _, e := range events {
			if refused := b.Apply(b.Entry(e)); len(refused) > 0 {
				t.Errorf("%+v", refused)
			}
		}
		const want = "TEE@berlin on hand 9 held 2 committed 0 safety 0 backorder 0\n" +
			"a 1 held 4 1700000600000 n1 1700000000000  f-a  ann |3 TEE 2 0 berlin 2 0\n"
		if got := b.State(); !strings.HasPrefix(got, want) {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	})
}

// TestLedger_Details reads how a reservation is routed.
func TestLedger_Details(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		shipped, collected, plain := ledgertest.Reserved(1), ledgertest.Reserved(1), ledgertest.Reserved(1)
		shipped.Extra = `{"ship_to":{"country":"DE","postal_code":"10115","latitude":52.5,"longitude":13.4},"split":"units","metadata":{"a":"b"}}`
		collected.Extra = `{"pickup":"berlin","lines":{"1":{"pickup":"lyon"}}}`
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 9), ledgertest.Born("a", shipped, "n1"), ledgertest.Born("b", collected, "n2"), ledgertest.Born("c", plain, "n3")))
		a, err := b.Ledger.Details(t.Context(), "a")
		if err != nil || a.CreationNonce != "n1" || a.Split != location.SplitUnits || a.ShipTo == nil || a.ShipTo.Country != "DE" ||
			a.ShipTo.PostalCode != "10115" || *a.ShipTo.Latitude != 52.5 || *a.ShipTo.Longitude != 13.4 {
			t.Errorf("%+v, %v", a, err)
		}
		for id, want := range map[string]wire.Details{
			"b": {CreationNonce: "n2", Destination: wire.Destination{Pickup: "berlin"}, Lines: map[string]wire.Destination{"1": {Pickup: "lyon"}}},
			"c": {CreationNonce: "n3"},
		} {
			if got, err := b.Ledger.Details(t.Context(), id); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		}
		if _, err := b.Ledger.Details(t.Context(), "d"); !errors.Is(err, cache.ErrNotFound) {
			t.Error(err)
		}
	})
}
