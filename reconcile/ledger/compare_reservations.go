package ledger

import "github.com/holdfast/holdfast/cache"

var reservationKinds = []FindingKind{
	KindReservationMissing, KindReservationExtra, KindReservationState, KindDeadlineMissing, KindOpenRefusal, KindUndecided,
}

func (c *comparison) reservation(r *cache.MarkedReservation) {
	kind := c.differs(r)
	if kind == "" {
		c.Note(nil, r.ID, reservationKinds...)
		return
	}
	f := FindingAt(kind, r.ID, c.at)
	f.ofReservation(r.ID)
	f.Seen = seenOf(PartReservation, r.ID, r.Record)
	if r.Record.There {
		if record, err := cache.DecodeRecord(r.Record.Text); err != nil {
			f.Redis = sideOfTexts(r.Record)
		} else {
			f.Redis, f.Units = sideOfRecord(&record), unitsOf(&record)
		}
	}
	if known := c.Reservations[r.ID]; known != nil {
		f.Ledger, f.Units = sideOfRecord(&known.Record), max(f.Units, unitsOf(&known.Record))
	}
	if kind == KindDeadlineMissing {
		f.Units = 0
	}
	c.Note(&f, r.ID, reservationKinds...)
}

// differs says how Redis's record differs from the ledger's; "" where it does not, or where that is as it
// should be: a reservation that has come to rest may be forgotten, or archived before it is, and one that was given
// back since its id is another's stays until then.
func (c *comparison) differs(r *cache.MarkedReservation) FindingKind {
	known := c.Reservations[r.ID]
	if !r.Record.There {
		if known == nil || Resolved(known.Record.State) {
			return ""
		}
		return KindReservationMissing
	}
	if known != nil && known.Record.Encode() == r.Record.Text {
		if r.Watched.There && r.Watched.Text == "0" {
			return KindDeadlineMissing
		}
		return ""
	}
	record, err := cache.DecodeRecord(r.Record.Text)
	if err == nil && known.archivedAs(&record) {
		return ""
	}
	if err == nil {
		switch c.refusedStep(r.ID, record.Birth) {
		case stepOpen: // being undone: looked at again later
			if c.mark.How == cache.HowAgain {
				return KindOpenRefusal
			}
			return KindUndecided
		case stepUndone:
			if Resolved(record.State) && record.Transition == transitionConflict {
				return ""
			}
		}
	}
	if known == nil {
		return KindReservationExtra
	}
	return KindReservationState
}

// archivedAs says whether it is a record of which the ledger has archived all but how it came to rest.
func (r *Reservation) archivedAs(record *cache.Record) bool {
	if r == nil || !Archived(&r.Record) || !Resolved(r.Record.State) {
		return false
	}
	return r.Record.Birth == record.Birth && r.Record.Version == record.Version && r.Record.State == record.State
}

// What became of the refused steps of a reservation.
const (
	stepNone = iota
	stepUndone
	stepOpen
)

// refusedStep says whether a step of a reservation of that birth was refused, and is to be undone still.
func (c *comparison) refusedStep(id, birth string) (step int) {
	for _, r := range c.openNow() {
		if !r.Step.Operation && r.Step.ID == id && r.Step.Birth == birth {
			return stepOpen
		}
	}
	for _, b := range c.Refused[id] {
		if b.Birth == birth {
			return stepUndone
		}
	}
	for i := range c.Refusals {
		if s := &c.Refusals[i].Step; !s.Operation && s.ID == id && s.Birth == birth {
			return stepUndone
		}
	}
	return stepNone
}

// deadline looks for ids that nobody knows. Those that are known may stand there: a deadline that was
// extended, or whose reservation has come to rest, stays until it has passed.
func (c *comparison) deadline(d *cache.MarkedDeadline) {
	lost := map[string]bool{}
	if d.Score.There && d.Lost.There {
		for _, id := range cache.DeadlineIDs(d.Lost.Text) {
			lost[id] = true
		}
	}
	for _, id := range cache.DeadlineIDs(d.Member) {
		name := id + "\x1f" + d.Member
		if !lost[id] || c.isKnown(id) {
			c.Note(nil, name, KindDeadlineOrphaned)
			continue
		}
		f := FindingAt(KindDeadlineOrphaned, name, c.at)
		f.ofReservation(id)
		f.Seen = seenOf(PartDeadline, id, cache.Text{There: true, Text: d.Member}, d.Score)
		f.Redis = &Side{Text: "deadline " + d.Score.Text}
		c.Note(&f, name, KindDeadlineOrphaned)
	}
}

// isKnown says whether the ledger knows an id, be it by a refusal.
func (c *comparison) isKnown(id string) bool {
	if c.Reservations[id] != nil || len(c.Refused[id]) > 0 {
		return true
	}
	for i := range c.Refusals {
		if s := &c.Refusals[i].Step; !s.Operation && s.ID == id {
			return true
		}
	}
	return false
}
