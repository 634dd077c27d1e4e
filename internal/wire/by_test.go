package wire

import "testing"

// TestBy reads the actor of an operation from its event.
func TestBy(t *testing.T) {
	const before, after = "100\x1fn\x1dadjust\x1fc-1\x1ff\x1fwhy\x1f", "\x1eTEE\x1fberlin\x1f0\x1f5\x1f0\x1f0\x1f0\x1f0\x1f5\x1f1"
	for actor, want := range map[string]Event{
		"anna":                     {Actor: "anna"},
		By("anna", "", ""):         {Actor: "anna"},
		By("pos", "anna", "req-1"): {Actor: "pos", OnBehalfOf: "anna", RequestID: "req-1"},
		By("pos", "", "req-1"):     {Actor: "pos", RequestID: "req-1"},
		By("", "anna", ""):         {OnBehalfOf: "anna"},
	} {
		e, err := DecodeEntry("1-1", map[string]any{"v": "1", "n": "n", "e": before + actor + after})
		if err != nil || len(e.Events) != 1 {
			t.Fatalf("%q: %v", actor, err)
		}
		if got := e.Events[0]; got.Actor != want.Actor || got.OnBehalfOf != want.OnBehalfOf || got.RequestID != want.RequestID || len(got.Levels) != 1 {
			t.Errorf("%q: %+v", actor, got)
		}
	}
}
