package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Internals that tests use.
const (
	LockOf     = lockOf
	PruneClass = pruneClass
)

var ArchiveReservations = archiveReservations

type Session = session

// ApplyKnown applies entries from memory alone, or reports that it cannot.
func (s *session) ApplyKnown(ctx context.Context, from, to wire.Position, entries []ledger.Entry) (bool, error) {
	return s.applyKnown(ctx, from, to, entries)
}

// Another is a session on the same connection that remembers nothing.
func (s *session) Another() *session {
	return &session{ledger: s.ledger, conn: s.conn, backend: s.backend, known: newKnown()}
}

// Remembers reports whether the session remembers a hold.
func (s *session) Remembers(id string) bool {
	_, there := s.known.holds.find(id)
	return there
}

// Forget makes the session forget a hold.
func (s *session) Forget(id string) { s.known.holds.drop(id) }

// Paged sets how many rows one transaction archives.
func (o PruneOptions) Paged(n int) PruneOptions {
	o.page = n
	return o
}

// Explain is explain.
func Explain(err error) error { return explain(err) }

// Look asks for the decisions of steps.
func Look(ctx context.Context, l *Ledger, list []wire.Awaited) error {
	results, err := l.look(ctx, list)
	return errors.Join(append(results, err)...)
}

// Decide decides the events of entries, and writes nothing.
func Decide(ctx context.Context, pool *pgxpool.Pool, entries []ledger.Entry) error {
	set, err := decide(ctx, pool, 0, ledger.EventRefs(entries), &pgx.Batch{})
	if err == nil {
		newKnown().learn(set, wire.Position{})
		write(set, &pgx.Batch{}, 0)
	}
	return err
}

// SessionReads calls every read of a session.
func SessionReads(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	s := &session{ledger: New(pool, 0), conn: conn.Conn(), known: newKnown()}
	_, err1 := s.Levels(ctx, ledger.LevelKey{}, 9)
	_, err2 := s.Live(ctx, ledger.LiveKey{}, 9)
	_, _, err3 := s.Rested(ctx, 0, 9)
	_, err4 := s.Operations(ctx, 0, "", 9)
	_, err5 := s.Limits(ctx, wire.LimitKey{}, 9)
	_, _, err6 := s.Forgettable(ctx, 0, never, 9)
	open, err7 := s.Open(ctx, 9)
	records, err8 := s.Records(ctx, []string{"r", "big"})
	for i := range open {
		known := records[open[i].Step.ID]
		_ = errors.Join(open[i].Answer())
		ledger.UndoTarget(&open[i], &known)
	}
	ledger.SettlingEntry(wire.Position{}, open, records)
	return errors.Join(err1, err2, err3, err4, err5, err6, err7, err8)
}
