package ledgertest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestLedger_ResolvedIDs reads the ids of resolved reservations page by page: first all, then those
// that were resolved since.
func TestLedger_ResolvedIDs(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		released := func(ids ...string) {
			t.Helper()
			for _, id := range ids {
				b.Apply(b.Entry(ledgertest.Born(id, ledgertest.Reserved(1), id)))
				b.Apply(b.Entry(ledgertest.Born(id, ledgertest.Event(cache.VerbRelease, cache.StateHeld, ledgertest.RecordOf(cache.StateReleased, 2, 1, 0)), id)))
			}
		}
		read := func(after cache.ResolvedCursor, want ...string) cache.ResolvedCursor {
			t.Helper()
			var all []string
			for {
				ids, next, err := b.Ledger.ResolvedIDs(t.Context(), after, 2)
				if err != nil {
					t.Fatal(err)
				}
				all, after = append(all, ids...), next
				if len(ids) < 2 && next.ID == "" {
					break
				}
			}
			slices.Sort(all)
			if got := slices.Compact(all); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%v, want %v", got, want)
			}
			return after
		}
		read(cache.ResolvedCursor{})
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 100)))
		b.Apply(b.Entry(ledgertest.Born("held", ledgertest.Reserved(1), "held")))
		released("a", "e", "c", "b", "d")
		at := read(cache.ResolvedCursor{}, "a", "b", "c", "d", "e")
		released("f")
		at = read(cache.ResolvedCursor{At: at.At + 1}, "f")
		released("h", "g", "i")
		at = read(at, "g", "h", "i")
		read(at)
	})
}
