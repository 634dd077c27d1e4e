package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	pruneClass = 0x686f6c66 // advisory lock, see lockClass: who archives
	prunePage  = 5_000      // rows archived in one transaction
)

// Archive takes what is archived, a row of JSON on each line. Sync returns when all of it is safe: only then
// is it taken out of the ledger.
type Archive interface {
	io.Writer
	Sync() error
}

// PruneOptions is what is archived.
type PruneOptions struct {
	Before  time.Time // what came to rest, or moved, before; required
	Archive Archive   // nil: it is only counted
	// Progress is told how many rows of how many are archived; nil tells nobody.
	Progress func(done, total int64)

	page int // rows in one transaction; default prunePage
}

// Pruned is what was archived, or could be.
type Pruned struct {
	Reservations int64 `json:"reservations"`
	Movements    int64 `json:"movements"`
}

// ErrPruning says that another process archives already.
var ErrPruning = errors.New("another process archives already")

// Prune archives reservations that came to rest before a time, with their lines, and movements made before
// it. Of a reservation the id stays, so that it is never used again; of movements their sum for each level
// stays, as one row, so that they add up to the levels as before, after each transaction. What a purchase
// limit still counts, what is refused and not undone yet, and what Redis was not told to forget yet, stays.
//
// It may run beside everything else, and be stopped at any moment: a row is in the archive before it is
// gone, and where Prune ends in between, it is there once more after the next. Refusals: ErrPruning.
func (p *Ledger) Prune(ctx context.Context, o PruneOptions) (done Pruned, err error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return done, err
	}
	defer conn.Release()
	var locked bool
	if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1::integer, `+lockOf+`)`, pruneClass, p.shard).Scan(&locked); err != nil {
		return done, err
	}
	if !locked {
		return done, ErrPruning
	}
	defer func() {
		_, unlock := conn.Exec(context.WithoutCancel(ctx), `select pg_advisory_unlock($1::integer, `+lockOf+`)`, pruneClass, p.shard)
		err = errors.Join(err, unlock)
	}()
	o.page = cmp.Or(o.page, prunePage)
	there, err := countPrunable(ctx, conn, p.shard, o.Before)
	if err != nil || o.Archive == nil {
		return there, err
	}
	progress := func() {
		if o.Progress != nil {
			o.Progress(done.Reservations+done.Movements, there.Reservations+there.Movements)
		}
	}
	progress()
	if err := inChunks(ctx, conn, &done.Reservations, progress, func(tx pgx.Tx) (int64, error) {
		return archiveReservations(ctx, tx, &o)
	}); err != nil {
		return done, fmt.Errorf("archive reservations: %w", err)
	}
	last, err := lastMovement(ctx, conn, p.shard, o.Before)
	if err != nil {
		return done, err
	}
	// Whoever asks what moved since a moment must know first that not all of it is there any more.
	if _, err := conn.Exec(ctx, keepFrom, p.shard, o.Before); err != nil {
		return done, err
	}
	at := movementKey{}
	if err := inChunks(ctx, conn, &done.Movements, progress, func(tx pgx.Tx) (int64, error) {
		return archiveMovements(ctx, tx, p.shard, &o, &at, last)
	}); err != nil {
		return done, fmt.Errorf("archive movements: %w", err)
	}
	return done, nil
}

// inChunks has archive archive some rows in a transaction, until it finds none.
func inChunks(ctx context.Context, db *pgxpool.Conn, done *int64, progress func(), archive func(pgx.Tx) (int64, error)) error {
	for {
		var n int64
		err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) (err error) {
			n, err = archive(tx)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
		*done += n
		progress()
	}
}

// appendTo writes rows to an archive, and returns when they are safe there.
func appendTo(to Archive, rows []string) error {
	for _, row := range rows {
		if _, err := io.WriteString(to, row+"\n"); err != nil {
			return err
		}
	}
	return to.Sync()
}
