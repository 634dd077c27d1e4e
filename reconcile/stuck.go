package reconcile

import "github.com/holdfast/holdfast/reconcile/ledger"

// warnOfStuck logs the holds that can't expire.
func (t *tail) warnOfStuck(refusals []ledger.Refusal) {
	n, example := 0, ""
	for i := range refusals {
		if refusals[i].Stuck() {
			n, example = n+1, refusals[i].Step.ID
		}
	}
	if n > 0 {
		t.Logger.Error("the ledger contradicts itself, so overdue reservations stay held; put right what `holdfast reconcile audit` names ledger_inconsistent, then audit with --repair",
			"reservations", n, "one of them", example)
	}
}
