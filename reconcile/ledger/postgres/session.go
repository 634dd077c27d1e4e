package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/setup"
)

const (
	// sessionIdle is how long Postgres keeps an idle session. It ends that of a process that was
	// stopped or is cut off, and the next process takes the lock. Every Note keeps the session
	// alive.
	sessionIdle = 3 * time.Second
	// sessionTimeout bounds one call of a session. The caller's context does not: the outcome of a
	// cancelled commit is unknown.
	sessionTimeout = 10 * time.Second
)

// session is the one connection that holds the lock of a shard.
type session struct {
	ledger  *Ledger
	conn    *pgx.Conn
	backend int32 // process id of the server's connection; only a pooler changes it
	known   *known
}

// Lock connects, takes the lock, and checks that the database is safe and has this binary's schema.
func (p *Ledger) Lock(ctx context.Context) (ledger.Session, error) {
	s, err := p.lock(ctx)
	if err != nil {
		return nil, explain(err)
	}
	return s, nil
}

func (p *Ledger) lock(ctx context.Context) (*session, error) {
	dialing, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	conn, err := p.dial(dialing)
	if err != nil {
		p.observe(ctx, err)
		return nil, err
	}
	idle := sessionIdle.Milliseconds()
	// Statements reach every row by its key, so each is planned once, and with these settings.
	// Otherwise a plan made for a small table would scan it when it has grown.
	settings := fmt.Sprintf(`set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
set enable_mergejoin = off; set jit = off; set idle_session_timeout = %d; set idle_in_transaction_session_timeout = %d;
set statement_timeout = %d; set application_name = 'holdfast reconciler'`, idle, idle, sessionTimeout.Milliseconds())
	var got bool
	var backend int32
	_, err = conn.Exec(dialing, settings)
	if err == nil {
		err = conn.QueryRow(dialing, `select pg_try_advisory_lock($1::integer, `+lockOf+`), pg_backend_pid()`, lockClass, p.shard).Scan(&got, &backend)
	}
	p.observe(ctx, err)
	switch {
	case err != nil:
	case got:
		if err = safe(dialing, conn); err == nil {
			err = registerRowTypes(dialing, conn)
		}
		if err != nil {
			p.waiters.Failed(err, "", refusesToWrite(err))
		}
	default:
		if err = p.watch(dialing, conn); err == nil {
			err = ledger.ErrLocked
		}
	}
	if err != nil {
		closeConn(conn)
		return nil, err
	}
	return &session{ledger: p, conn: conn, backend: backend, known: newKnown()}, nil
}

// watch notes how far the process that has the lock has come.
func (p *Ledger) watch(ctx context.Context, conn *pgx.Conn) error {
	at, _, err := readPosition(ctx, conn, p.shard, "")
	if err == nil {
		p.waiters.Seen(positionKey(at.Epoch, at.Sequence), fmt.Sprint(at.SeenAt))
	}
	return err
}

// safe refuses a database that could lose committed data, or has another schema.
func safe(ctx context.Context, conn *pgx.Conn) error {
	if err := CheckSchema(ctx, conn); err != nil {
		return err
	}
	findings, err := examineServer(ctx, conn)
	if err != nil {
		return err
	}
	if err := setup.Unsafe(findings); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrUnwritable, err)
	}
	return nil
}

// observe records whether the ledger answered, unless the caller gave up.
func (p *Ledger) observe(ctx context.Context, err error) {
	if ctx.Err() == nil {
		p.waiters.Record(err)
	}
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = conn.Close(ctx)
}

// Close closes the connection, which releases the lock.
func (s *session) Close() { closeConn(s.conn) }

// do runs f within sessionTimeout. An error does not mark the ledger as down: it may be this
// session that has ended.
func (s *session) do(ctx context.Context, f func(ctx context.Context) error) error {
	return s.call(ctx, "", f)
}

// call is do for an f that moves the position from, as positionKey returns it.
func (s *session) call(ctx context.Context, from string, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sessionTimeout)
	defer cancel()
	w := s.ledger.waiters
	defer w.Calling()()
	err := explain(f(ctx))
	switch {
	case err == nil:
		w.Record(nil)
	case !errors.Is(err, ledger.ErrMoved):
		w.Failed(err, from, refusesToWrite(err))
	}
	return err
}

// positionKey identifies the last applied entry of a position.
func positionKey(epoch, sequence uint64) string { return fmt.Sprint(epoch, "-", sequence) }

// refusesToWrite reports whether Postgres answered that it cannot write, such as a read-only one or
// one whose disk is full. A session that was ended, a deadlock and a lost connection are tried again
// at once.
func refusesToWrite(err error) bool {
	if errors.Is(err, setup.ErrUnsafe) {
		return true
	}
	const readOnly, canceled = "25006", "57014"
	refused, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return false
	case refused.Code == readOnly, refused.Code == canceled:
		return true
	default:
		return !slices.Contains([]string{"08", "25", "40", "57"}, refused.Code[:min(2, len(refused.Code))])
	}
}

func (s *session) Position(ctx context.Context) (at ledger.PositionRow, found bool, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		at, found, err = readPosition(ctx, s.conn, s.ledger.shard, "")
		return err
	})
	return at, found, err
}

func (s *session) Begin(ctx context.Context, from *wire.Position, to wire.Position) error {
	return s.startEpoch(ctx, from, to, func(ctx context.Context, tx pgx.Tx) error {
		if err := s.settleAll(ctx, tx, to); err != nil || from == nil {
			return err
		}
		return extendDeadlines(ctx, tx, from.SeenAt, to.SeenAt)
	})
}

func (s *session) Adopt(ctx context.Context, from, to wire.Position) error {
	return s.startEpoch(ctx, &from, to, func(context.Context, pgx.Tx) error { return nil })
}

// startEpoch moves the position from from to to. It calls change in the same transaction.
func (s *session) startEpoch(ctx context.Context, from *wire.Position, to wire.Position, change func(context.Context, pgx.Tx) error) error {
	s.known = newKnown()
	err := s.do(ctx, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
			if err := lockPosition(ctx, tx, s.ledger.shard, from); err != nil {
				return err
			}
			if err := change(ctx, tx); err != nil {
				return err
			}
			return s.moveTo(ctx, tx, to)
		})
	})
	if err == nil {
		s.ledger.waiters.Wrote(true)
	}
	return err
}

// lockPosition locks the position, so that every other applier waits, and checks that it is want;
// nil means that there must be none yet.
func lockPosition(ctx context.Context, tx pgx.Tx, shard int32, want *wire.Position) error {
	at, found, err := readPosition(ctx, tx, shard, "for update")
	switch {
	case err != nil:
		return err
	case found != (want != nil), found && !ledger.SamePosition(at.Position, *want):
		return ledger.ErrMoved
	}
	return nil
}

// moveTo writes the whole position, and clears an operator's request for a rebuild and a claim.
func (s *session) moveTo(ctx context.Context, tx pgx.Tx, to wire.Position) error {
	const query = `
insert into positions (shard, epoch, sequence, nonce, run_id, replication_id, shards, prefix, seen_at, kept_from, ledger_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)
on conflict (shard) do update set epoch = excluded.epoch, sequence = excluded.sequence, nonce = excluded.nonce,
    run_id = excluded.run_id, replication_id = excluded.replication_id, shards = excluded.shards,
    prefix = excluded.prefix, seen_at = excluded.seen_at, ledger_id = excluded.ledger_id, rebuild = false,
    claim_run_id = ''`
	_, err := tx.Exec(ctx, query, s.ledger.shard, to.Epoch, to.Sequence, to.Nonce, to.RunID, to.ReplicationID,
		to.Shards, to.Prefix, time.UnixMilli(to.SeenAt), to.LedgerID)
	return err
}

// settleAll settles all open refusals, as their compensations would.
func (s *session) settleAll(ctx context.Context, tx pgx.Tx, to wire.Position) error {
	open, err := collect(ctx, tx, scanRefusal, selectOpen, s.ledger.shard)
	if err != nil || len(open) == 0 {
		return err
	}
	ids := make([]string, 0, len(open))
	for i := range open {
		ids = append(ids, open[i].Step.ID)
	}
	records, err := readRecords(ctx, tx, ids)
	if err != nil {
		return err
	}
	first := ledger.SettlingEntry(to, open, records)
	set, err := decide(ctx, tx, s.ledger.shard, ledger.EventRefs([]ledger.Entry{first}), &pgx.Batch{})
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	write(set, batch, s.ledger.shard)
	batch.Queue(`update refusals set settled_at = $2 where shard = $1 and settled_at is null`,
		s.ledger.shard, time.UnixMilli(to.SeenAt))
	return tx.SendBatch(ctx, batch).Close()
}

// extendDeadlines extends the holds that were live when Redis was last seen by the time that it was
// away.
func extendDeadlines(ctx context.Context, tx pgx.Tx, seen, back int64) error {
	const query = `
update reservations set expires_at = expires_at + make_interval(secs => $2::double precision / 1000)
where state = 'held' and expires_at > $1`
	if back <= seen {
		return nil
	}
	_, err := tx.Exec(ctx, query, time.UnixMilli(seen), back-seen)
	return err
}

func (s *session) Note(ctx context.Context, p wire.Position) error {
	const query = `
update positions set seen_at = $5, run_id = $6, replication_id = $7
where shard = $1 and epoch = $2 and sequence = $3 and nonce = $4 returning pg_backend_pid()`
	err := s.do(ctx, func(ctx context.Context) error {
		found, err := collect(ctx, s.conn, pgx.RowTo[int32], query, s.ledger.shard, p.Epoch, p.Sequence, p.Nonce, time.UnixMilli(p.SeenAt),
			p.RunID, p.ReplicationID)
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return ledger.ErrMoved
		case found[0] != s.backend:
			return fmt.Errorf("%w: %s", errPooled, doPooled)
		}
		return nil
	})
	if err == nil {
		s.ledger.waiters.Seen(positionKey(p.Epoch, p.Sequence), fmt.Sprint(p.SeenAt))
		s.ledger.waiters.Wrote(false)
	}
	return err
}

func (s *session) KeepFrom(ctx context.Context, moment int64) error {
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.conn.Exec(ctx, keepFrom, s.ledger.shard, time.UnixMilli(moment))
		return err
	})
}

func (s *session) Open(ctx context.Context, limit int) ([]ledger.Refusal, error) {
	return within(ctx, s.do, func(ctx context.Context) ([]ledger.Refusal, error) {
		return collect(ctx, s.conn, scanRefusal, selectOpen+`limit $2`, s.ledger.shard, limit)
	})
}

func (s *session) Settle(ctx context.Context, steps []wire.Step) error {
	now := time.Now()
	batch := &pgx.Batch{}
	for _, step := range steps {
		step.Version++
		settle(batch, step, now)
	}
	return s.do(ctx, func(ctx context.Context) error { return s.conn.SendBatch(ctx, batch).Close() })
}

func (s *session) Records(ctx context.Context, ids []string) (map[string]wire.Record, error) {
	return within(ctx, s.do, func(ctx context.Context) (map[string]wire.Record, error) {
		return readRecords(ctx, s.conn, ids)
	})
}

func readRecords(ctx context.Context, db batcher, ids []string) (map[string]wire.Record, error) {
	found, err := readReservations(ctx, db, ids)
	return recordsOf(found), err
}

func recordsOf(found map[string]*ledger.Reservation) map[string]wire.Record {
	records := make(map[string]wire.Record, len(found))
	for id, r := range found {
		records[id] = r.Record
	}
	return records
}

func (s *session) SetAside(ctx context.Context, entries []ledger.Entry, reason string) error {
	list := make([]ledger.Quarantined, len(entries))
	for i := range entries {
		list[i] = entries[i].Quarantine(reason)
	}
	return s.do(ctx, func(ctx context.Context) error {
		batch := &pgx.Batch{}
		writeQuarantine(batch, s.ledger.shard, list)
		return s.conn.SendBatch(ctx, batch).Close()
	})
}
