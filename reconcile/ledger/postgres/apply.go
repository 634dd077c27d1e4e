package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Apply tries three ways, each one transaction and each slower than the one before: with the rows
// that the session remembers (one round trip), with the rows it reads (two), and by halves, which
// finds the events that the database refuses.
func (s *session) Apply(ctx context.Context, from, to wire.Position, entries []ledger.Entry) (refusals []ledger.Refusal, err error) {
	err = s.call(ctx, positionKey(from.Epoch, from.Sequence), func(ctx context.Context) error {
		if !ledger.SamePosition(s.known.at, from) { // another process has applied since
			s.known = newKnown()
		}
		if done, err := s.applyKnown(ctx, from, to, entries); done || err != nil {
			return err
		}
		refusals, err = s.applyRead(ctx, from, to, entries)
		if isDataError(err) {
			refusals, err = s.applyByHalves(ctx, from, to, entries)
		}
		return err
	})
	if err == nil {
		s.ledger.waiters.Wrote(true)
	}
	return refusals, err
}

// applyKnown applies entries if the session remembers every row that they touch and the ledger
// refuses none of their events. It takes one round trip. If done is false, nothing was written, and
// applyRead finds out why.
func (s *session) applyKnown(ctx context.Context, from, to wire.Position, entries []ledger.Entry) (done bool, err error) {
	events, set := ledger.EventRefs(entries), ledger.NewWorkingSet()
	if !s.known.fill(set, ledger.RowKeysOf(events), events) {
		return false, nil
	}
	if set.Apply(events); len(set.Refusals) > 0 {
		return false, nil
	}
	writing := s.moving(from, to, entries)
	write(set, writing, s.ledger.shard)
	if err = s.commit(ctx, writing, false); err == nil {
		s.known.learn(set, to)
		return true, nil
	}
	s.known = newKnown()
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.SeverityUnlocalized == "ERROR" {
		return false, nil
	}
	return false, err
}

// applyRead applies entries in two round trips: one reads what they touch, one writes what they
// change and commits. Each row is written once. If the outcome of the commit is unknown, the
// position tells where to go on.
func (s *session) applyRead(ctx context.Context, from, to wire.Position, entries []ledger.Entry) (refusals []ledger.Refusal, err error) {
	defer func() {
		if err != nil {
			_, _ = s.conn.Exec(ctx, `rollback`) // if the connection is lost, Postgres rolls back
		}
	}()
	reading := &pgx.Batch{}
	reading.Queue(`begin`)
	reading.Queue(selectPosition+`for update`, s.ledger.shard).Query(func(rows pgx.Rows) error {
		at, err := pgx.CollectExactlyOneRow(rows, scanPosition)
		if err == nil && !ledger.SamePosition(at.Position, from) {
			err = ledger.ErrMoved
		}
		return err
	})
	set, err := decide(ctx, s.conn, s.ledger.shard, ledger.EventRefs(entries), reading)
	if err != nil {
		return nil, err
	}
	writing := s.moving(from, to, entries)
	write(set, writing, s.ledger.shard)
	if err := s.commit(ctx, writing, true); err != nil {
		return nil, err
	}
	s.known.learn(set, to)
	return set.Refusals, nil
}

// commit writes a batch and commits it, in one round trip. begun says that the transaction has
// begun already. Without begin and commit a batch is a transaction by itself: Postgres skips the
// statements after one that fails, and keeps none of them.
func (s *session) commit(ctx context.Context, writing *pgx.Batch, begun bool) error {
	if s.ledger.Point == nil {
		if begun {
			writing.Queue(`commit`)
		}
		return s.conn.SendBatch(ctx, writing).Close()
	}
	if !begun {
		if _, err := s.conn.Exec(ctx, `begin`); err != nil {
			return err
		}
	}
	if err := s.conn.SendBatch(ctx, writing).Close(); err != nil {
		_, _ = s.conn.Exec(ctx, `rollback`)
		return err
	}
	s.ledger.Point("written")
	_, err := s.conn.Exec(ctx, `commit`)
	return err
}

// moving returns a batch that moves the position, if it is still from, and quarantines the entries
// that cannot be read.
func (s *session) moving(from, to wire.Position, entries []ledger.Entry) *pgx.Batch {
	const query = `
with moved as (
    update positions set epoch = $2, sequence = $3, nonce = $4
    where shard = $1 and epoch = $5 and sequence = $6 and nonce = $7 returning 1)
select expect(count(*), 1) from moved`
	batch := &pgx.Batch{}
	batch.Queue(query, s.ledger.shard, to.Epoch, to.Sequence, to.Nonce, from.Epoch, from.Sequence, from.Nonce)
	var faulty []ledger.Quarantined
	for i := range entries {
		if entries[i].Fault != nil {
			faulty = append(faulty, entries[i].Quarantine(entries[i].Fault.Error()))
		}
	}
	writeQuarantine(batch, s.ledger.shard, faulty)
	return batch
}

// applyByHalves applies entries in one transaction, except the events that a rule of the database
// refuses.
func (s *session) applyByHalves(ctx context.Context, from, to wire.Position, entries []ledger.Entry) (refusals []ledger.Refusal, err error) {
	s.known = newKnown()
	err = pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
		if err := lockPosition(ctx, tx, s.ledger.shard, &from); err != nil {
			return err
		}
		if refusals, err = decideByHalves(ctx, tx, s.ledger.shard, ledger.EventRefs(entries)); err != nil {
			return err
		}
		return tx.SendBatch(ctx, s.moving(from, to, entries)).Close()
	})
	return refusals, err
}

// decideByHalves decides and writes events behind a savepoint. If a rule of the database refuses
// one of them, it does so with each half, and so on. One bad event of a thousand costs twenty
// savepoints, not a thousand. That event goes into quarantine and counts as refused.
func decideByHalves(ctx context.Context, tx pgx.Tx, shard int32, events []ledger.EventRef) (refusals []ledger.Refusal, err error) {
	if len(events) == 0 {
		return nil, nil
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		set, err := decide(ctx, tx, shard, events, &pgx.Batch{})
		if err != nil {
			return err
		}
		refusals = set.Refusals
		batch := &pgx.Batch{}
		write(set, batch, shard)
		return tx.SendBatch(ctx, batch).Close()
	})
	switch half := len(events) / 2; {
	case !isDataError(err):
		return refusals, err
	case half == 0:
		return quarantineEvent(ctx, tx, shard, events[0], err)
	default:
		first, err := decideByHalves(ctx, tx, shard, events[:half])
		if err != nil {
			return nil, err
		}
		second, err := decideByHalves(ctx, tx, shard, events[half:])
		return append(first, second...), err
	}
}

// quarantineEvent keeps an event that a rule refused, and its refusal if the rules allow that.
func quarantineEvent(ctx context.Context, tx pgx.Tx, shard int32, r ledger.EventRef, cause error) ([]ledger.Refusal, error) {
	set := ledger.NewWorkingSet()
	set.Refuse(r.Entry, r.Index, ledger.ReasonConstraint, ledger.UndoDetail(r.Entry, r.Event()))
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		write(set, batch, shard)
		return tx.SendBatch(ctx, batch).Close()
	})
	if isDataError(err) {
		set.Refusals = nil
	} else if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	writeQuarantine(batch, shard, []ledger.Quarantined{{
		Entry: r.Entry.Text, Event: r.Index, Reason: cause.Error(), Body: r.Entry.Raw[r.Index],
	}})
	return set.Refusals, tx.SendBatch(ctx, batch).Close()
}

// decide reads the rows that events touch, and decides the events on them. reading is sent first,
// in the same round trip. Reservations that draw on levels or limits that their events do not name
// cost a second one.
func decide(ctx context.Context, db batcher, shard int32, events []ledger.EventRef, reading *pgx.Batch) (*ledger.WorkingSet, error) {
	touched, set := ledger.RowKeysOf(events), ledger.NewWorkingSet()
	queueRead(set, reading, shard, touched)
	if err := db.SendBatch(ctx, reading).Close(); err != nil {
		return nil, err
	}
	if err := readRest(ctx, db, set, touched); err != nil {
		return nil, err
	}
	set.Apply(events)
	return set, nil
}
