package ledger

import "github.com/holdfast/holdfast/cache"

// compensate applies what undid a refusal in Redis: its reservation is there again as the ledger has
// it, or given back, under a higher version. Where the ledger has another reservation under that id,
// or none, nothing of it was ever counted here, and nothing is any more of one that is archived: only the refusal
// is settled.
func (b *WorkingSet) compensate(entry *Entry, i int, e *cache.Event) RefusalReason {
	known := b.Reservations[e.ID]
	if known != nil && known.Record.Birth == e.Record.Birth && !Archived(&known.Record) {
		if e.Record.Version <= known.Record.Version {
			return ReasonVersion
		}
		deltas, reason := b.deltas(known.Record, e.Record)
		if reason != "" {
			return reason
		}
		b.record(entry, i, e, deltas)
	}
	b.Settle(Settlement{Step: e.Step(entry.Nonce), At: entry.At})
	return ""
}

// Settle notes that refusals are undone: those of this batch so far, and those before it.
func (b *WorkingSet) Settle(s Settlement) {
	for i := range b.Refusals {
		if r := &b.Refusals[i]; r.SettledAt == 0 && s.Settles(r.Step) {
			r.SettledAt = s.At
		}
	}
	b.Settled = append(b.Settled, s)
}

// Settles says whether a refused step is undone.
func (s Settlement) Settles(step cache.Step) bool {
	return s.Step.Operation == step.Operation && s.Step.ID == step.ID && s.Step.Birth == step.Birth &&
		step.Version < s.Step.Version
}

// Settlement says that the refusals of a reservation below the version of step, or of an operation,
// are undone.
type Settlement struct {
	Step cache.Step
	At   int64 // Unix ms
}
