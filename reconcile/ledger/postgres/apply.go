package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

func (s *session) Apply(ctx context.Context, from, to cache.Position, entries []ledger.Entry) (refusals []ledger.Refusal, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		if !ledger.SamePosition(s.known.at, from) { // somebody else has applied in between
			s.known = newKnown()
		}
		if done, err := s.applyKnown(ctx, from, to, entries); done || err != nil {
			return err
		}
		refusals, err = s.applyAll(ctx, from, to, entries)
		if isDataError(err) { // one of the events: find it
			refusals, err = s.applyByHalves(ctx, from, to, entries)
		}
		return err
	})
	return refusals, err
}

// applyKnown applies entries of which everything is known that they touch, and that refuse nothing: one
// transaction in one round trip. done is false where that can't be, and nothing was written then: the long
// way finds out why.
func (s *session) applyKnown(ctx context.Context, from, to cache.Position, entries []ledger.Entry) (done bool, err error) {
	list, b := ledger.EventRefs(entries), ledger.NewWorkingSet()
	if !s.known.fill(b, ledger.RowKeysOf(list), list) {
		return false, nil
	}
	if b.Apply(list); len(b.Refusals) > 0 {
		return false, nil
	}
	writing := &pgx.Batch{}
	s.queueMove(writing, from, to, entries)
	write(b, writing, s.ledger.shard)
	if err = s.commit(ctx, writing, false); err == nil {
		s.known.learn(b, to)
		return true, nil
	}
	s.known = newKnown()
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.SeverityUnlocalized == "ERROR" {
		return false, nil
	}
	return false, err
}

// applyAll applies entries in one transaction of two round trips: read what they touch; write what they
// leave, and commit. Each row is written once. Whatever happens, the position says where to go on.
func (s *session) applyAll(ctx context.Context, from, to cache.Position, entries []ledger.Entry) (refusals []ledger.Refusal, err error) {
	defer func() {
		if err != nil {
			_, _ = s.conn.Exec(ctx, `rollback`) // where there is no connection left, Postgres does it
		}
	}()
	list, b := ledger.EventRefs(entries), ledger.NewWorkingSet()
	t := ledger.RowKeysOf(list)
	reading := &pgx.Batch{}
	reading.Queue(`begin`)
	var at ledger.PositionRow
	reading.Queue(selectPosition+`for update`, s.ledger.shard).Query(func(rows pgx.Rows) error {
		at, err = pgx.CollectExactlyOneRow(rows, scanPosition)
		return err
	})
	queueRead(b, reading, s.ledger.shard, t)
	if err := s.conn.SendBatch(ctx, reading).Close(); err != nil {
		return nil, err
	}
	if !ledger.SamePosition(at.Position, from) {
		return nil, ledger.ErrMoved
	}
	if err := readRest(b, ctx, s.conn, t); err != nil {
		return nil, err
	}
	b.Apply(list)
	writing := &pgx.Batch{}
	write(b, writing, s.ledger.shard)
	s.queueMove(writing, from, to, entries)
	if err := s.commit(ctx, writing, true); err != nil {
		return nil, err
	}
	s.known.learn(b, to)
	return b.Refusals, nil
}

// commit sends what is to be written, and has it committed, in one round trip; begun says that the
// transaction has begun before. Without begin and commit a batch is a transaction by itself: what follows a
// statement that fails is not reached, and nothing of it stays.
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

// queueMove queues that the position is moved, compared with what it was, and that what can't be read is
// kept.
func (s *session) queueMove(batch *pgx.Batch, from, to cache.Position, entries []ledger.Entry) {
	const move = `
with moved as (
    update positions set epoch = $2, sequence = $3, nonce = $4
    where shard = $1 and epoch = $5 and sequence = $6 and nonce = $7 returning 1)
select expect(count(*), 1) from moved`
	var faulty []ledger.Quarantined
	for i := range entries {
		if entries[i].Fault != nil {
			faulty = append(faulty, entries[i].Quarantine(entries[i].Fault.Error()))
		}
	}
	batch.Queue(move, s.ledger.shard, to.Epoch, to.Sequence, to.Nonce, from.Epoch, from.Sequence, from.Nonce)
	writeQuarantine(batch, s.ledger.shard, faulty)
}

// isDataError says that a rule of the database refused what was to be written; any other error has
// nothing to do with the event, and is tried again.
func isDataError(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(refused.Code, "22") || strings.HasPrefix(refused.Code, "23"))
}

// applyByHalves applies entries in one transaction too, but for the events that a rule of the database refuses.
func (s *session) applyByHalves(ctx context.Context, from, to cache.Position, entries []ledger.Entry) (refusals []ledger.Refusal, err error) {
	s.known = newKnown()
	err = pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
		if _, err := s.lockPosition(ctx, tx, &from); err != nil {
			return err
		}
		if refusals, err = decideByHalves(ctx, tx, s.ledger.shard, ledger.EventRefs(entries)); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		s.queueMove(batch, from, to, entries)
		return tx.SendBatch(ctx, batch).Close()
	})
	return refusals, err
}

// decideAll decides events on one working copy, and writes it.
func decideAll(ctx context.Context, tx pgx.Tx, shard int32, list []ledger.EventRef) ([]ledger.Refusal, error) {
	b, err := decideRows(ctx, tx, shard, list)
	if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	write(b, batch, shard)
	return b.Refusals, tx.SendBatch(ctx, batch).Close()
}

// decideByHalves decides events behind a savepoint; where a rule of the database refuses one of them, each half
// behind one of its own, and so on: one bad event of a thousand costs twenty savepoints, not a thousand. That event
// goes into quarantine, and counts as refused.
func decideByHalves(ctx context.Context, tx pgx.Tx, shard int32, list []ledger.EventRef) (refusals []ledger.Refusal, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		refusals, err = decideAll(ctx, tx, shard, list)
		return err
	})
	switch half := len(list) / 2; {
	case !isDataError(err):
		return refusals, err
	case half == 0:
		return quarantineEvent(ctx, tx, shard, list[0], err)
	default:
		first, err := decideByHalves(ctx, tx, shard, list[:half])
		if err != nil {
			return nil, err
		}
		second, err := decideByHalves(ctx, tx, shard, list[half:])
		return append(first, second...), err
	}
}

// quarantineEvent keeps an event that a rule refused, and its refusal, if the rules allow for that.
func quarantineEvent(ctx context.Context, tx pgx.Tx, shard int32, r ledger.EventRef, cause error) ([]ledger.Refusal, error) {
	b := ledger.NewWorkingSet()
	b.Refuse(r.Entry, r.Index, ledger.ReasonConstraint, ledger.DetailOf(r.Entry, r.Event()))
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		write(b, batch, shard)
		return tx.SendBatch(ctx, batch).Close()
	})
	if isDataError(err) {
		b.Refusals = nil
	} else if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	writeQuarantine(batch, shard, []ledger.Quarantined{{
		Entry: r.Entry.Text, Event: r.Index, Reason: cause.Error(), Body: r.Entry.Raw[r.Index],
	}})
	return b.Refusals, tx.SendBatch(ctx, batch).Close()
}

// decideRows reads the rows that events touch, and decides them.
func decideRows(ctx context.Context, tx pgx.Tx, shard int32, list []ledger.EventRef) (*ledger.WorkingSet, error) {
	t, b := ledger.RowKeysOf(list), ledger.NewWorkingSet()
	batch := &pgx.Batch{}
	queueRead(b, batch, shard, t)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	if err := readRest(b, ctx, tx, t); err != nil {
		return nil, err
	}
	b.Apply(list)
	return b, nil
}
