package reconcile

import "github.com/holdfast/holdfast/cache"

// compensate applies what undid a refusal in Redis: its reservation is there again as the ledger has
// it, or given back, under a higher version. Where the ledger has another reservation under that id,
// or none, nothing of it was ever counted here, and nothing is any more of one that is archived: only the refusal
// is settled.
func (b *book) compensate(entry *entry, i int, e *cache.Event) refusalReason {
	known := b.reservations[e.ID]
	if known != nil && known.record.Birth == e.Record.Birth && !archived(&known.record) {
		if e.Record.Version <= known.record.Version {
			return reasonVersion
		}
		deltas, reason := b.deltas(known.record, e.Record)
		if reason != "" {
			return reason
		}
		b.record(entry, i, e, deltas)
	}
	b.settle(settlement{step: e.Step(entry.nonce), at: entry.at})
	return ""
}

// settle notes that refusals are undone: those of this batch so far, and those before it.
func (b *book) settle(s settlement) {
	for i := range b.refusals {
		if r := &b.refusals[i]; r.settledAt == 0 && s.settles(r.step) {
			r.settledAt = s.at
		}
	}
	b.settled = append(b.settled, s)
}

// settles says whether a refused step is undone.
func (s settlement) settles(step cache.Step) bool {
	return s.step.Operation == step.Operation && s.step.ID == step.ID && s.step.Birth == step.Birth &&
		step.Version < s.step.Version
}

// settlement says that the refusals of a reservation below the version of step, or of an operation,
// are undone.
type settlement struct {
	step cache.Step
	at   int64 // Unix ms
}
