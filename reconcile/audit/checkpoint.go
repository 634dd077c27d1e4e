package audit

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

const (
	inFlightMax  = 32                   // checkpoints that the ledger has not applied yet
	restFactor   = 4                    // if others write too, a step is followed by a rest this many times as long
	pollInterval = 2 * time.Millisecond // between two reads of the ledger's position
	noteInterval = 2 * time.Second      // between two notes in the ledger that the audit still runs
	settleRounds = 20                   // checks of undecided findings
	repairsMax   = 50                   // findings in one checkpoint or one repair
)

// checkpoint is an entry of the stream that carries what Redis has of some names. The reconciler
// compares it with the ledger when it applies the entry.
type checkpoint struct {
	shard.CheckpointRequest
	entry ledger.EntryID
}

// checkpoint ends a step. It has the names in m read and compared, if there are any. It returns
// before they are compared, unless too many checkpoints are in flight.
func (r *run) checkpoint(ctx context.Context, m shard.CheckpointRequest) error {
	if len(m.Levels)+len(m.Reservations)+len(m.Limits)+len(m.Deadlines) == 0 {
		return r.endStep(ctx)
	}
	m.Audit = r.id
	for len(r.inFlight) >= inFlightMax {
		if err := r.await(ctx); err != nil {
			return err
		}
	}
	if err := r.send(ctx, m); err != nil {
		return err
	}
	r.point("checkpoint")
	return r.endStep(ctx)
}

// send writes a checkpoint to the stream.
func (r *run) send(ctx context.Context, m shard.CheckpointRequest) error {
	text, err := onShard(ctx, r, func(s *shard.Conn, ctx context.Context) (string, error) { return s.AppendCheckpoint(ctx, m) })
	if err != nil {
		return err
	}
	entry, err := ledger.ParseEntryID(text)
	if err != nil {
		return err
	}
	if len(r.inFlight) == 0 {
		r.appliedAt = time.Now()
	}
	r.inFlight = append(r.inFlight, checkpoint{m, entry})
	r.sent++
	return nil
}

// endStep leaves Redis and the ledger to others for a while, if others write too. Now and then it
// notes that the audit still runs.
func (r *run) endStep(ctx context.Context) error {
	if r.busy {
		if err := shard.Pause(ctx, min(restFactor*time.Since(r.stepBegan), retryInterval)); err != nil {
			return err
		}
	}
	r.point("step end")
	r.stepBegan = time.Now()
	if time.Since(r.notedAt) < noteInterval {
		return nil
	}
	return r.note(ctx)
}

// note tells the ledger that the audit still runs, and what readings have compared.
func (r *run) note(ctx context.Context) error {
	r.notedAt = time.Now()
	same := r.same
	r.same = ledger.Compared{}
	return r.ledger.Auditing(ctx, r.id, same)
}

// drain waits until all checkpoints are compared.
func (r *run) drain(ctx context.Context) error {
	for len(r.inFlight) > 0 {
		if err := r.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// await reads the ledger's position once and drops the checkpoints that it has compared. If it has
// compared none, await pauses. It sends those of an earlier epoch again: they may be lost.
func (r *run) await(ctx context.Context) error {
	row, _, err := r.ledger.Position(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && time.Since(r.appliedAt) > stallTimeout:
		return stalled("Postgres is up", err)
	case err != nil:
		return shard.Pause(ctx, retryInterval)
	}
	at, before := row.Position, r.applied
	if !ledger.SamePosition(at, before) {
		r.applied, r.appliedAt = at, time.Now()
	}
	waiting := r.inFlight
	r.inFlight = nil
	for i, c := range waiting {
		if c.entry.Epoch == at.Epoch && c.entry.Sequence > at.Sequence {
			r.inFlight = append(r.inFlight, waiting[i:]...)
			break
		}
		if c.entry.Epoch != at.Epoch {
			if err := r.send(ctx, c.CheckpointRequest); err != nil {
				return err
			}
		}
	}
	done := len(waiting) - len(r.inFlight)
	switch {
	case done > 0:
		r.busy = before.Epoch == at.Epoch && at.Sequence-before.Sequence > uint64(done)
		return nil
	case time.Since(r.appliedAt) > stallTimeout:
		return stalled(reconciling, fmt.Errorf("the ledger is at %s, the audit at %s", at.EntryID(), r.inFlight[0].entry))
	default:
		return shard.Pause(ctx, pollInterval)
	}
}

// catchUp waits until the ledger has applied everything that is in the stream now.
func (r *run) catchUp(ctx context.Context) error {
	if err := r.send(ctx, shard.CheckpointRequest{Audit: r.id, How: wire.HowAgain}); err != nil {
		return err
	}
	return r.drain(ctx)
}

// settle checks undecided findings again until none is left. An open refusal may explain such a
// finding, and is undone in the meantime.
func (r *run) settle(ctx context.Context) error {
	undecided := ledger.FindingFilter{Kinds: []ledger.FindingKind{ledger.KindUndecided}, Open: true}
	for round := range settleRounds {
		if round > 0 {
			if err := shard.Pause(ctx, retryInterval); err != nil {
				return err
			}
		}
		left, err := r.ledger.AuditFindings(ctx, r.id, undecided, 1)
		if err != nil || len(left) == 0 {
			return err
		}
		if err := r.checkAgain(ctx, undecided); err != nil {
			return err
		}
	}
	return nil
}

// checkAgain compares the subjects of findings again, and waits for the result.
func (r *run) checkAgain(ctx context.Context, f ledger.FindingFilter) error {
	for list, err := range r.findings(ctx, f) {
		if err != nil {
			return err
		}
		m := markingOf(list)
		m.How = wire.HowAgain
		if err := r.checkpoint(ctx, m); err != nil {
			return err
		}
		if err := r.drain(ctx); err != nil {
			return err
		}
	}
	return nil
}

// markingOf names what findings are about, for a checkpoint. Findings within the ledger have
// nothing in Redis to read.
func markingOf(list []ledger.Finding) (m shard.CheckpointRequest) {
	for i := range list {
		name := string(list[i].Seen.Name)
		switch list[i].Seen.Part {
		case ledger.PartLevel:
			m.Levels = append(m.Levels, name)
		case ledger.PartReservation:
			m.Reservations = append(m.Reservations, name)
		case ledger.PartLimit:
			m.Limits = append(m.Limits, name)
		case ledger.PartDeadline:
			m.Deadlines = append(m.Deadlines, list[i].Seen.Text(0).Text)
		}
	}
	return m
}

// findings yields this audit's findings in pages.
func (r *run) findings(ctx context.Context, f ledger.FindingFilter) iter.Seq2[[]ledger.Finding, error] {
	return findings(ctx, r.ledger, r.id, f, min(r.page, repairsMax))
}

// findings yields an audit's findings in pages, and ends after an error.
func findings(ctx context.Context, l ledger.Ledger, audit string, f ledger.FindingFilter, limit int) iter.Seq2[[]ledger.Finding, error] {
	return func(yield func([]ledger.Finding, error) bool) {
		for {
			list, err := l.AuditFindings(ctx, audit, f, limit)
			if err == nil && len(list) == 0 {
				return
			}
			if err == nil {
				f.After = list[len(list)-1].ID // before the caller may change the list
			}
			if !yield(list, err) || err != nil {
				return
			}
		}
	}
}
