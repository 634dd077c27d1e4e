package ledger

import "fmt"

// what each kind means, and what to do, for whoever has to.
var advice = map[FindingKind]struct{ means, do string }{
	KindCounterDrift: {"Redis counts otherwise than the ledger",
		"repeat with --repair: the difference is added in Redis, and what is sold meanwhile stays sold"},
	KindLevelMissing: {"Redis lacks the level: nothing is sold from it",
		"repeat with --repair: it is written back"},
	KindLevelUnknown: {"the ledger has no such level: what is sold from it is refused",
		"repeat with --repair: it is taken out of Redis; stock that is real is counted in with `holdfast stock adjust`"},
	KindReservationMissing: {"Redis has lost the reservation: its customer is answered not_found",
		"repeat with --repair: its record is put back"},
	KindReservationExtra: {"the ledger has no such reservation: confirming it is refused",
		"repeat with --repair: its record is taken out, and its customer reserves again"},
	KindReservationState: {"Redis has another record of the reservation than the ledger",
		"repeat with --repair: it is made what the ledger has"},
	KindLimitDrift: {"Redis counts otherwise what a customer has taken of a purchase limit",
		"repeat with --repair: the difference is added in Redis"},
	KindDeadlineMissing: {"the reservation is held and would never expire",
		"repeat with --repair: its deadline is watched again"},
	KindDeadlineOrphaned: {"a deadline of a reservation that nobody knows: harmless",
		"repeat with --repair: it is taken out"},
	KindLedgerInconsistent: {"the ledger's row disagrees with its own lines or movements: Redis is not repaired from it",
		"somebody has changed the tables: make the row in `levels` what the movements add up to, then audit again"},
	KindUndecided: {"refusals came and went each time it was looked at",
		"audit again"},
	KindOpenRefusal: {"a step that the ledger refused is being undone: no drift",
		"nothing; where it is there for minutes, repair what else is found, or see the log of whoever reconciles"},
	KindQuarantined: {"an event or entry that was refused and is never applied: no drift",
		"read reason and body in the table quarantine"},
}

// Means says what a kind of finding means.
func (k FindingKind) Means() string { return advice[k].means }

// Do says what is to be done about a finding; "" where nothing is.
func (f *Finding) Do() string {
	switch f.State {
	case FindingRepaired:
		return ""
	case FindingGone:
		return ""
	default:
		return advice[f.Kind].do
	}
}

// About says what a finding is about.
func (f *Finding) About() string {
	switch {
	case f.SKU != "":
		return fmt.Sprintf("%s at %s", f.SKU, f.Location)
	case f.Reservation != "":
		return f.Reservation
	case f.Limit != "":
		return fmt.Sprintf("%s of %s", f.Limit, f.Customer)
	default:
		return f.Name
	}
}
