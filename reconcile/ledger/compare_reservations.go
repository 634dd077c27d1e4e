package ledger

import "github.com/holdfast/holdfast/internal/wire"

// reservationKinds are the kinds of findings of a reservation.
var reservationKinds = []FindingKind{
	KindReservationMissing, KindReservationExtra, KindReservationState, KindDeadlineMissing, KindOpenRefusal, KindUndecided,
}

func (c *comparison) reservation(r *wire.CheckpointReservation) {
	kind := c.differs(r)
	if kind == "" {
		c.note(nil, r.ID, reservationKinds...)
		return
	}
	f := FindingAt(kind, r.ID, c.at)
	f.ofReservation(r.ID)
	f.Seen = seenOf(PartReservation, r.ID, r.Record)
	if r.Record.There {
		if record, err := wire.DecodeRecord(r.Record.Text); err != nil {
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
	c.note(&f, r.ID, reservationKinds...)
}

// differs returns how Redis's record differs from the ledger's, or "" if it does not differ or the
// difference is expected. Redis may have forgotten a resolved reservation. The ledger may have
// archived it before that. A reservation that was given back because its id belongs to another one
// stays in Redis until it is forgotten.
func (c *comparison) differs(r *wire.CheckpointReservation) FindingKind {
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
	record, err := wire.DecodeRecord(r.Record.Text)
	if err == nil && known.archivedAs(&record) {
		return ""
	}
	if err == nil {
		switch c.refusedStep(r.ID, record.CreationNonce) {
		case stepOpen: // being undone: the audit looks at it again later
			if c.checkpoint.How == wire.HowAgain {
				return KindOpenRefusal
			}
			return KindUndecided
		case stepUndone:
			if Resolved(record.State) && record.Transition == wire.TransitionConflict {
				return ""
			}
		}
	}
	if known == nil {
		return KindReservationExtra
	}
	return KindReservationState
}

// archivedAs reports whether r is what the ledger keeps of record after it has archived the lines.
func (r *Reservation) archivedAs(record *wire.Record) bool {
	if r == nil || !Archived(&r.Record) || !Resolved(r.Record.State) {
		return false
	}
	return r.Record.CreationNonce == record.CreationNonce && r.Record.Version == record.Version && r.Record.State == record.State
}

// The refused steps of a reservation.
const (
	stepNone   = iota // none was refused
	stepUndone        // all are undone
	stepOpen          // one is not undone yet
)

// refusedStep returns whether a step of the reservation with this creation nonce was refused, and
// whether it is undone.
func (c *comparison) refusedStep(id, nonce string) (step int) {
	for _, r := range c.openNow() {
		if !r.Step.Operation && r.Step.ID == id && r.Step.CreationNonce == nonce {
			return stepOpen
		}
	}
	for _, b := range c.Refused[id] {
		if b.Nonce == nonce {
			return stepUndone
		}
	}
	for i := range c.Refusals {
		if s := &c.Refusals[i].Step; !s.Operation && s.ID == id && s.CreationNonce == nonce {
			return stepUndone
		}
	}
	return stepNone
}

// deadline finds ids that the ledger does not know. A known id is never drift: a deadline that was
// extended, or whose reservation is resolved, stays until it has passed.
func (c *comparison) deadline(d *wire.CheckpointDeadline) {
	lost := map[string]bool{}
	if d.Score.There && d.Lost.There {
		for _, id := range wire.DeadlineIDs(d.Lost.Text) {
			lost[id] = true
		}
	}
	for _, id := range wire.DeadlineIDs(d.Member) {
		name := id + "\x1f" + d.Member
		if !lost[id] || c.isKnown(id) {
			c.note(nil, name, KindDeadlineOrphaned)
			continue
		}
		f := FindingAt(KindDeadlineOrphaned, name, c.at)
		f.ofReservation(id)
		f.Seen = seenOf(PartDeadline, id, wire.Text{There: true, Text: d.Member}, d.Score)
		f.Redis = &Side{Text: "deadline " + d.Score.Text}
		c.note(&f, name, KindDeadlineOrphaned)
	}
}

// isKnown reports whether the ledger knows an id, by a reservation or by a refusal.
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
