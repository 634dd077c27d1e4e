package reconcile

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast/holdfast/cache"
)

func (s *postgresSession) apply(ctx context.Context, from, to cache.Position, entries []entry) (refusals []refusal, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		if !samePosition(s.known.at, from) { // somebody else has applied in between
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
func (s *postgresSession) applyKnown(ctx context.Context, from, to cache.Position, entries []entry) (done bool, err error) {
	list, b := refs(entries), newBook()
	if !s.known.fill(b, touch(list), list) {
		return false, nil
	}
	if b.apply(list); len(b.refusals) > 0 {
		return false, nil
	}
	writing := &pgx.Batch{}
	s.queueMove(writing, from, to, entries)
	b.write(writing, s.ledger.shard)
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
func (s *postgresSession) applyAll(ctx context.Context, from, to cache.Position, entries []entry) (refusals []refusal, err error) {
	defer func() {
		if err != nil {
			_, _ = s.conn.Exec(ctx, `rollback`) // where there is no connection left, Postgres does it
		}
	}()
	list, b := refs(entries), newBook()
	t := touch(list)
	reading := &pgx.Batch{}
	reading.Queue(`begin`)
	var at position
	reading.Queue(selectPosition+`for update`, s.ledger.shard).Query(func(rows pgx.Rows) error {
		at, err = pgx.CollectExactlyOneRow(rows, scanPosition)
		return err
	})
	b.queueRead(reading, s.ledger.shard, t)
	if err := s.conn.SendBatch(ctx, reading).Close(); err != nil {
		return nil, err
	}
	if !samePosition(at.Position, from) {
		return nil, errMoved
	}
	if err := b.readRest(ctx, s.conn, t); err != nil {
		return nil, err
	}
	b.apply(list)
	writing := &pgx.Batch{}
	b.write(writing, s.ledger.shard)
	s.queueMove(writing, from, to, entries)
	if err := s.commit(ctx, writing, true); err != nil {
		return nil, err
	}
	s.known.learn(b, to)
	return b.refusals, nil
}

// commit sends what is to be written, and has it committed, in one round trip; begun says that the
// transaction has begun before. Without begin and commit a batch is a transaction by itself: what follows a
// statement that fails is not reached, and nothing of it stays.
func (s *postgresSession) commit(ctx context.Context, writing *pgx.Batch, begun bool) error {
	if s.ledger.point == nil {
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
	s.ledger.point("written")
	_, err := s.conn.Exec(ctx, `commit`)
	return err
}

// queueMove queues that the position is moved, compared with what it was, and that what can't be read is
// kept.
func (s *postgresSession) queueMove(batch *pgx.Batch, from, to cache.Position, entries []entry) {
	const move = `
with moved as (
    update positions set epoch = $2, sequence = $3, nonce = $4
    where shard = $1 and epoch = $5 and sequence = $6 and nonce = $7 returning 1)
select expect(count(*), 1) from moved`
	var faulty []quarantined
	for i := range entries {
		if entries[i].fault != nil {
			faulty = append(faulty, entries[i].quarantine(entries[i].fault.Error()))
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
func (s *postgresSession) applyByHalves(ctx context.Context, from, to cache.Position, entries []entry) (refusals []refusal, err error) {
	s.known = newKnown()
	err = pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
		if _, err := s.lockPosition(ctx, tx, &from); err != nil {
			return err
		}
		if refusals, err = decideByHalves(ctx, tx, s.ledger.shard, refs(entries)); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		s.queueMove(batch, from, to, entries)
		return tx.SendBatch(ctx, batch).Close()
	})
	return refusals, err
}

// decideAll decides events on one working copy, and writes it.
func decideAll(ctx context.Context, tx pgx.Tx, shard int32, list []ref) ([]refusal, error) {
	b, err := decideRows(ctx, tx, shard, list)
	if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	b.write(batch, shard)
	return b.refusals, tx.SendBatch(ctx, batch).Close()
}

// decideByHalves decides events behind a savepoint; where a rule of the database refuses one of them, each half
// behind one of its own, and so on: one bad event of a thousand costs twenty savepoints, not a thousand. That event
// goes into quarantine, and counts as refused.
func decideByHalves(ctx context.Context, tx pgx.Tx, shard int32, list []ref) (refusals []refusal, err error) {
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
func quarantineEvent(ctx context.Context, tx pgx.Tx, shard int32, r ref, cause error) ([]refusal, error) {
	b := newBook()
	b.refuse(r.entry, r.index, reasonConstraint, detailOf(r.entry, r.event()))
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		b.write(batch, shard)
		return tx.SendBatch(ctx, batch).Close()
	})
	if isDataError(err) {
		b.refusals = nil
	} else if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	writeQuarantine(batch, shard, []quarantined{{
		entry: r.entry.text, event: r.index, reason: cause.Error(), body: r.entry.raw[r.index],
	}})
	return b.refusals, tx.SendBatch(ctx, batch).Close()
}

// decideRows reads the rows that events touch, and decides them.
func decideRows(ctx context.Context, tx pgx.Tx, shard int32, list []ref) (*book, error) {
	t, b := touch(list), newBook()
	batch := &pgx.Batch{}
	b.queueRead(batch, shard, t)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	if err := b.readRest(ctx, tx, t); err != nil {
		return nil, err
	}
	b.apply(list)
	return b, nil
}
