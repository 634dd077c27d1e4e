package postgres

import (
	"context"

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
