package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	pruneClass = 0x686f6c66 // advisory lock for archiving, see lockClass
	prunePage  = 5_000      // rows archived in one transaction
)

// Archive receives archived rows, one JSON object on each line. Sync returns when they are safe.
// Only then does Prune remove them from the ledger.
type Archive interface {
	io.Writer
	Sync() error
}

// PruneOptions says what Prune archives, and where to.
type PruneOptions struct {
	Before  time.Time // reservations resolved and movements made before it; required
	Archive Archive   // nil: only count
	// Progress, if not nil, is called with the number of archived rows and the total.
	Progress func(done, total int64)

	page int // rows in one transaction; default prunePage
}

// Pruned counts the rows that were archived, or could be.
type Pruned struct {
	Reservations int64 `json:"reservations"`
	Movements    int64 `json:"movements"`
}

// ErrPruning is the refusal of Prune while another process archives.
var ErrPruning = errors.New("another process archives this ledger already: wait until it is done")

// Prune archives reservations that were resolved before a time, with their lines, and movements
// made before it. It keeps the id of each reservation, so that it is never used again. It replaces
// the movements of a level by one row with their sum, so that movements add up to the levels after
// each transaction. It skips reservations that a purchase limit still counts, that have a refusal
// to undo, or that Redis was not told to forget yet.
//
// Prune may run alongside everything else, and may be stopped at any moment. A row is in the
// archive before it leaves the ledger; if Prune is stopped in between, the next one archives that
// row again. Refusals: ErrPruning.
func (p *Ledger) Prune(ctx context.Context, o PruneOptions) (done Pruned, err error) {
	conn, err := p.dial(ctx)
	if err != nil {
		return done, err
	}
	defer closeConn(conn)
	var locked bool
	if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1::integer, `+lockOf+`)`, pruneClass, p.shard).Scan(&locked); err != nil {
		return done, err
	}
	if !locked {
		return done, ErrPruning
	}
	defer func() { // closing would release the lock a moment later
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
	// Since must know that movements are missing before they are.
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

// inChunks calls archive in one transaction after another, until it archives no row.
func inChunks(ctx context.Context, db *pgx.Conn, done *int64, progress func(), archive func(pgx.Tx) (int64, error)) error {
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

// appendTo writes rows to an archive and syncs it.
func appendTo(to Archive, rows []string) error {
	for _, row := range rows {
		if _, err := io.WriteString(to, row+"\n"); err != nil {
			return err
		}
	}
	return to.Sync()
}
