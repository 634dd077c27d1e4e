package reconcile

import "github.com/holdfast/holdfast/cache"

// stuck says that a hold can't expire, however often it is tried: the ledger lacks the units that its own
// record of the hold has, for somebody has edited it. Such a hold stays until the ledger is put right: then
// a repair has its deadline watched again.
func (r *refusal) stuck() bool {
	if r.verb != cache.VerbExpire {
		return false
	}
	return r.reason == reasonNegative || r.reason == reasonUnknown || r.reason == reasonConstraint
}

// warnOfStuck logs the holds that can't expire.
func (t *tail) warnOfStuck(refusals []refusal) {
	n, example := 0, ""
	for i := range refusals {
		if refusals[i].stuck() {
			n, example = n+1, refusals[i].step.ID
		}
	}
	if n > 0 {
		t.Logger.Error("the ledger contradicts itself, so overdue reservations stay held; put right what `holdfast reconcile audit` names ledger_inconsistent, then audit with --repair",
			"reservations", n, "one of them", example)
	}
}
