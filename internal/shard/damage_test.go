package shard

import (
	"errors"
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
)

// idleLedger is a ledger that is told of damage.
type idleLedger struct{ Loader }

func (idleLedger) Suspect() {}

// TestDamaged_Replaced checks the error of a call that a key of another type made fail, if the key is
// gone when the call looks for it.
func TestDamaged_Replaced(t *testing.T) {
	client := redistest.Start(t).Client(t)
	if err := client.Set(t.Context(), "key", "text", 0).Err(); err != nil {
		t.Fatal(err)
	}
	failed := client.HGet(t.Context(), "key", "field").Err()
	for ledger, want := range map[Loader]bool{nil: false, idleLedger{}: true} {
		s := New(Config{Client: client, Prefix: "damaged", Ledger: ledger})
		if got := s.damaged(t.Context(), failed); errors.Is(got, wire.ErrRebuilding) != want || !errors.Is(got, failed) {
			t.Errorf("with the ledger %v: %v", ledger, got)
		}
	}
}
