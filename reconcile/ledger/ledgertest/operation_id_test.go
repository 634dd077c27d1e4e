package ledgertest_test

import (
	"slices"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// operated gives the event of a step an operation.
func operated(operation string, e wire.Event) wire.Event {
	e.Operation, e.Fingerprint = operation, "f-"+operation
	return e
}

// TestLedger_OperationID applies steps that have the id of an operation: each once.
func TestLedger_OperationID(t *testing.T) {
	confirmed := func(version, quantity, fulfilled int64) wire.Record {
		return ledgertest.RecordOf(cache.StateConfirmed, version, quantity, fulfilled)
	}
	sold := []wire.Event{ledgertest.Reserved(3), ledgertest.Confirmed(2, 3)}
	out := operated("out", ledgertest.Event(cache.VerbFulfill, cache.StateConfirmed, confirmed(3, 3, 1)))
	const (
		berlin = "TEE@berlin on hand 4 held 0 committed 2 safety 0 backorder 0\n"
		record = "a 1 confirmed 3 1700000600000 n1 1700000000000  f-a   |1 TEE 3 0 berlin 3 1\n"
		known  = "operation count n1 f-count\n"
	)
	for _, c := range []struct {
		name   string
		events []wire.Event
		want   string
	}{
		{"applied", append(slices.Clone(sold), out), berlin + record + known + "operation out n1 f-out\n"},
		{
			"made before", append(slices.Clone(sold), out, operated("out", ledgertest.Event(cache.VerbRelease, cache.StateConfirmed, confirmed(4, 2, 1)))),
			berlin + record + known + "operation out n1 f-out\n" +
				`refused release of a v4 at 1-2/4: id_known {"operation":"out","nonce":"n1"}` + "\n",
		},
		{
			"the id of a count", append(slices.Clone(sold), operated("count", out)),
			"TEE@berlin on hand 5 held 0 committed 3 safety 0 backorder 0\n" +
				"a 1 confirmed 2 1700000600000 n1 1700000000000  f-a   |1 TEE 3 0 berlin 3 0\n" + known +
				`refused fulfill of a v3 at 1-2/3: id_known {"operation":"count","nonce":"n1"}` + "\n",
		},
		{
			"refused for its version", append(slices.Clone(sold), out, operated("late", ledgertest.Event(cache.VerbFulfill, cache.StateConfirmed, confirmed(3, 3, 1)))),
			berlin + record + known + "operation out n1 f-out\n" +
				`refused fulfill of a v3 at 1-2/4: version {"operation":"late","nonce":"n1"}` + "\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range c.events {
				c.events[i] = ledgertest.Born("a", c.events[i], "n1")
			}
			ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
				b.Apply(b.Entry(append([]wire.Event{ledgertest.Recount("count", 0, 5)}, c.events...)...))
				if got := unrecorded.ReplaceAllString(b.State(), ""); got != c.want {
					t.Errorf("%s\nwant:\n%s", got, c.want)
				}
			})
		})
	}
}
