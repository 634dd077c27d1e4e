package ledgertest_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// returned returns the event that takes back more units; back is the sum of all returns.
func returned(operation string, version, back, more int64, to location.ID) wire.Event {
	e := ledgertest.Event(cache.VerbReturn, cache.StateFulfilled, ledgertest.RecordOf(cache.StateFulfilled, version, 3, 3))
	e.Record.Lines[0].Returned = back
	e.Operation, e.Fingerprint = operation, "f-"+operation
	e.Levels = []wire.LevelEvent{{SKU: ledgertest.At.SKU, Location: to, OnHandAfter: more}}
	return e
}

// unrecorded matches Redis's record in a refusal, which other tests check.
var unrecorded = regexp.MustCompile(`,"record":"[^"]*"`)

// TestLedger_Return takes shipped units back.
func TestLedger_Return(t *testing.T) {
	shipped := func(more ...wire.Event) []wire.Event {
		list := append([]wire.Event{ledgertest.Reserved(3), ledgertest.Confirmed(2, 3), ledgertest.Event(cache.VerbFulfill, "confirmed", ledgertest.RecordOf("fulfilled", 3, 3, 3))}, more...)
		for i := range list {
			list[i] = ledgertest.Born("a", list[i], "n1")
		}
		return append([]wire.Event{ledgertest.Recount("count", 0, 5)}, list...)
	}
	berlin := func(onHand int) string {
		return fmt.Sprintf("TEE@berlin on hand %d held 0 committed 0 safety 0 backorder 0\n", onHand)
	}
	record := func(version, back int) string {
		return fmt.Sprintf("a 1 fulfilled %d 1700000600000 n1 1700000000000  f-a   |1 TEE 3 %d berlin 3 3\n", version, back)
	}
	const operations = "operation count n1 f-count\n"
	for _, c := range []struct {
		name   string
		events []wire.Event
		want   string
	}{
		{
			"to the location they came from", shipped(returned("ret", 4, 2, 2, "berlin")),
			berlin(4) + record(4, 2) + operations + "operation ret n1 f-ret\n",
		},
		{
			"to a new level, in two parts", shipped(returned("ret", 4, 2, 2, "lyon"), returned("rest", 5, 3, 1, "lyon")),
			berlin(2) + "TEE@lyon on hand 3 held 0 committed 0 safety 0 backorder 0\n" + record(5, 3) + operations +
				"operation rest n1 f-rest\noperation ret n1 f-ret\n",
		},
		{
			"the id of another operation", shipped(returned("count", 4, 2, 2, "berlin")),
			berlin(2) + record(3, 0) + operations + `refused return of a v4 at 1-2/4: id_known ` +
				`{"levels":[{"sku":"TEE","location":"berlin","on_hand":2,"safety_stock":0,"backorder_limit":0}],"operation":"count","nonce":"n1"}` + "\n",
		},
		{
			"of another version", shipped(returned("ret", 5, 2, 2, "berlin")),
			berlin(2) + record(3, 0) + operations + `refused return of a v5 at 1-2/4: version ` +
				`{"levels":[{"sku":"TEE","location":"berlin","on_hand":2,"safety_stock":0,"backorder_limit":0}],"operation":"ret","nonce":"n1"}` + "\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
				b.Apply(b.Entry(c.events...))
				if got := unrecorded.ReplaceAllString(b.State(), ""); got != c.want {
					t.Errorf("%s\nwant:\n%s", got, c.want)
				}
			})
		})
	}
	t.Run("more than was shipped", func(t *testing.T) {
		b := ledgertest.OpenPostgres(t)
		b.Lock()
		b.Begin(nil, 1)
		refusals := b.Apply(b.Entry(shipped(returned("ret", 4, 4, 4, "berlin"))...))
		if got := b.State(); len(refusals) != 1 || !strings.Contains(got, berlin(2)+record(3, 0)+operations) || !strings.Contains(got, "quarantined 1-2/4") {
			t.Errorf("%+v\n%s", refusals, got)
		}
	})
}
