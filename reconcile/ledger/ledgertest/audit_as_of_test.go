package ledgertest_test

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
)

// TestLedger_AuditAsOf reads rows with their position, and with whether a refused step is not
// undone yet.
func TestLedger_AuditAsOf(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		held, tooMuch := ledgertest.Born("a", ledgertest.Reserved(2), "n1"), ledgertest.Born("b", ledgertest.Reserved(9), "n1")
		expect := func(wantAt string, refused bool, want string) {
			t.Helper()
			at, levels, err := b.Ledger.LevelsAt(t.Context(), ledger.LevelKey{}, ledger.Scope{}, 9)
			if err != nil || !at.There || at.EntryID() != wantAt || at.Refused != refused || fmt.Sprint(levels) != want {
				t.Errorf("%+v, %v, %v, want %s", at, levels, err, want)
			}
			of, records, err := b.Ledger.RecordsAt(t.Context(), []string{"a", "never"})
			if err != nil || !ledger.SamePosition(of.Position, at.Position) || of.Refused != refused || len(records) != 1 ||
				records["a"].Encode() != held.Record.Encode() {
				t.Errorf("%+v, %v, %v", of, records, err)
			}
		}
		first := b.Entry(ledgertest.Recount("count", 0, 5), held)
		b.Apply(first)
		expect(first.ID.String(), false, "[{{TEE berlin} {5 2 0 0 0 0}}]")
		second := b.Entry(tooMuch, ledgertest.Born("b", ledgertest.Confirmed(2, 9), "n1"))
		b.Apply(second)
		expect(second.ID.String(), true, "[{{TEE berlin} {5 11 0 0 0 0}}]")
	})
}
