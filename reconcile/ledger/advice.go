package ledger

import "strings"

// advice says what each kind of finding means, and what an operator does about it.
var advice = map[FindingKind]struct{ means, do string }{
	KindCounterDrift: {"Redis and the ledger count different units",
		"run it again with --repair: Redis gets the difference added, and sales go on meanwhile"},
	KindLevelMissing: {"Redis lacks the level, so nothing is sold from it",
		"run it again with --repair: the level is written back"},
	KindLevelUnknown: {"the ledger has no such level, so it refuses what Redis sells from it",
		"run it again with --repair: the level is removed from Redis; add real stock with `holdfast stock adjust`"},
	KindReservationMissing: {"Redis has lost the reservation, so its customer gets not_found",
		"run it again with --repair: the record is written back"},
	KindReservationExtra: {"the ledger has no such reservation, so it refuses its confirm",
		"run it again with --repair: the record is removed, and the customer reserves again"},
	KindReservationState: {"Redis and the ledger have different records of the reservation",
		"run it again with --repair: Redis gets the record of the ledger"},
	KindLimitDrift: {"Redis and the ledger count different units for a purchase limit",
		"run it again with --repair: Redis gets the difference added"},
	KindDeadlineMissing: {"the reservation is held and would never expire",
		"run it again with --repair: its deadline is watched again"},
	KindDeadlineOrphaned: {"a deadline belongs to an unknown reservation: harmless",
		"run it again with --repair: the deadline is removed"},
	KindLedgerInconsistent: {"a row of the ledger disagrees with its lines or movements, so Redis is not repaired from it",
		"somebody has edited the tables: set the row in `levels` to the sum of its movements, then audit again"},
	KindUndecided: {"the audit could not decide: its open refusals changed each time it looked",
		"audit again"},
	KindOpenRefusal: {"a refused step is being undone: not drift",
		"wait; if it stays for minutes, repair the other findings, or read the log of the reconciler"},
	KindQuarantined: {"an event or entry was refused and is never applied: not drift",
		"read reason and body in the table quarantine"},
}

// Means says what a kind of finding means.
func (k FindingKind) Means() string { return advice[k].means }

// NotRepaired begins the note of a finding that a repair left.
const NotRepaired = "not repaired: "

// Do says what to do about a finding, or "" if there is nothing to do.
func (f *Finding) Do() string {
	switch {
	case f.State == FindingRepaired || f.State == FindingGone:
		return ""
	case strings.Contains(f.Note, NotRepaired):
		return "read its note: it says why a repair left it, and what to do"
	default:
		return advice[f.Kind].do
	}
}
