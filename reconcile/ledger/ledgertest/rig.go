package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// Bench is a ledger and its session. At is its last applied entry.
type Bench struct {
	TB      testing.TB
	Ledger  ledger.Ledger
	Pool    *pgxpool.Pool // nil in memory
	Session ledger.Session
	At      wire.Position
	Nonces  int // entries made so far
}

// Ledgers are the implementations that the suite runs against.
var Ledgers = []struct {
	Name string
	Open func(tb testing.TB) *Bench
}{
	{"memory", func(tb testing.TB) *Bench { return &Bench{TB: tb, Ledger: memory.New()} }},
	{"postgres", openEmptied},
}

// OpenPostgres returns a ledger in a database of its own.
func OpenPostgres(tb testing.TB) *Bench {
	tb.Helper()
	pool := OpenLedger(tb)
	return &Bench{TB: tb, Ledger: postgres.New(pool, 0), Pool: pool}
}

// SeenAt is when Redis was last seen in these tests, Unix ms.
const SeenAt = 1_700_000_000_000

// EachLedger runs a test on each ledger, which is empty, with the lock taken and epoch 1 begun.
func EachLedger(t *testing.T, test func(t *testing.T, b *Bench)) {
	t.Helper()
	for _, l := range Ledgers {
		t.Run(l.Name, func(t *testing.T) {
			b := l.Open(t)
			b.Session = LockAgain(t, b.Ledger) // the test before may have held it a moment ago
			t.Cleanup(b.Session.Close)
			b.Begin(nil, 1)
			test(t, b)
		})
	}
}

// Lock takes the lock of the shard.
func (b *Bench) Lock() {
	b.TB.Helper()
	s, err := b.Ledger.Lock(context.Background())
	if err != nil {
		b.TB.Fatal(err)
	}
	b.Session = s
	b.TB.Cleanup(s.Close)
}

// Begin starts an epoch, one minute after from was last seen.
func (b *Bench) Begin(from *wire.Position, epoch uint64) {
	b.TB.Helper()
	to := wire.Position{
		Epoch: epoch, Sequence: 1, Nonce: fmt.Sprintf("first-%d", epoch), RunID: "run", ReplicationID: "history",
		Shards: 1, Prefix: "holdfast", SeenAt: SeenAt,
	}
	if from != nil {
		to.SeenAt = from.SeenAt + 60_000
	}
	if err := b.Session.Begin(context.Background(), from, to); err != nil {
		b.TB.Fatal(err)
	}
	b.At = to
}

// Entry returns the next entry of the stream.
func (b *Bench) Entry(events ...wire.Event) ledger.Entry {
	b.Nonces++
	b.At.Sequence++
	b.At.Nonce = fmt.Sprintf("n%d", b.Nonces)
	id := ledger.EntryID{Epoch: b.At.Epoch, Sequence: b.At.Sequence}
	raw := make([]string, len(events))
	for i := range events {
		raw[i] = fmt.Sprintf("%s of %s", events[i].Verb, events[i].ID)
	}
	return ledger.Entry{Text: id.String(), ID: id, Nonce: b.At.Nonce, At: b.At.SeenAt + int64(b.Nonces), Events: events, Raw: raw}
}

// Apply applies entries and returns the refusals.
func (b *Bench) Apply(entries ...ledger.Entry) []ledger.Refusal {
	b.TB.Helper()
	from := b.At
	from.Sequence, from.Nonce = entries[0].ID.Sequence-1, b.before(entries[0])
	refusals, err := b.Session.Apply(context.Background(), from, b.At, entries)
	if err != nil {
		b.TB.Fatal(err)
	}
	return refusals
}

// before returns the nonce of the entry before e.
func (b *Bench) before(e ledger.Entry) string {
	var n int
	if _, err := fmt.Sscanf(e.Nonce, "n%d", &n); err != nil {
		b.TB.Fatal(err)
	}
	if e.ID.Sequence == 2 {
		return fmt.Sprintf("first-%d", e.ID.Epoch)
	}
	return fmt.Sprintf("n%d", n-1)
}

// Levels describes the levels of the ledger.
func (b *Bench) Levels() string {
	b.TB.Helper()
	list, err := b.Session.Levels(context.Background(), ledger.LevelKey{}, 1000)
	if err != nil {
		b.TB.Fatal(err)
	}
	var out strings.Builder
	for _, l := range list {
		fmt.Fprintf(&out, "%s@%s on hand %d held %d committed %d safety %d backorder %d", l.SKU, l.Location,
			l.OnHand, l.Held, l.Committed, l.SafetyStock, l.BackorderLimit)
		if l.CommittedBackorder != 0 {
			fmt.Fprintf(&out, " of committed %d", l.CommittedBackorder)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// State describes all that the ledger holds.
func (b *Bench) State() string {
	b.TB.Helper()
	ctx := context.Background()
	var out strings.Builder
	must := func(err error) {
		b.TB.Helper()
		if err != nil {
			b.TB.Fatal(err)
		}
	}
	out.WriteString(b.Levels())
	live, err := b.Session.Live(ctx, ledger.LiveKey{}, 1000)
	must(err)
	rested, _, err := b.Session.Rested(ctx, 0, 1000)
	must(err)
	live = append(live, rested...)
	slices.SortFunc(live, func(a, b wire.ReservationRow) int { return strings.Compare(a.ID, b.ID) })
	for _, r := range live {
		fmt.Fprintf(&out, "%s %s\n", r.ID, strings.Map(printable, r.Record.Encode()))
		row, err := b.Ledger.Reservation(ctx, r.ID)
		must(err)
		if len(row.Metadata) > 0 {
			fmt.Fprintf(&out, "%s has %v\n", r.ID, row.Metadata)
		}
	}
	operations, err := b.Session.Operations(ctx, 0, "", 1000)
	must(err)
	for _, o := range operations {
		fmt.Fprintf(&out, "operation %s %s %s\n", o.ID, o.CreationNonce, o.Fingerprint)
	}
	limits, err := b.Session.Limits(ctx, wire.LimitKey{}, 1000)
	must(err)
	for _, l := range limits {
		fmt.Fprintf(&out, "limit %s of %s counts %d\n", l.Limit, l.Identity, l.Units)
	}
	open, err := b.Session.Open(ctx, 1000)
	must(err)
	for _, r := range open {
		fmt.Fprintf(&out, "refused %s of %s v%d at %s/%d: %s %s\n", r.Verb, r.Step.ID, r.Step.Version, r.Entry, r.Event, r.Reason, r.Detail.Encode())
	}
	for _, q := range b.quarantined() {
		fmt.Fprintf(&out, "quarantined %s/%d %s\n", q.Entry, q.Event, q.Body)
	}
	return out.String()
}

func printable(r rune) rune {
	switch r {
	case '\x1f':
		return ' '
	case '\x1e':
		return '|'
	default:
		return r
	}
}

func (b *Bench) quarantined() []ledger.Quarantined {
	switch l := b.Ledger.(type) {
	case *memory.Ledger:
		return l.Quarantined()
	case *postgres.Ledger:
		rows, _ := b.Pool.Query(context.Background(), `select entry, event, reason, convert_from(body, 'UTF8') from quarantine order by entry, event`)
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (q ledger.Quarantined, err error) {
			err = row.Scan(&q.Entry, &q.Event, &q.Reason, &q.Body)
			return q, err
		})
		if err != nil {
			b.TB.Fatal(err)
		}
		return list
	default:
		b.TB.Fatalf("ledger of type %T", l)
		return nil
	}
}

// Begun begins the audit a-1.
func (b *Bench) Begun() {
	b.TB.Helper()
	if err := b.Ledger.BeginAudit(context.Background(), ledger.Audit{ID: "a-1"}); err != nil {
		b.TB.Fatal(err)
	}
}

// Silence makes an audit look as if it had not reported for longer than AuditLost.
func (b *Bench) Silence(id string) {
	b.TB.Helper()
	switch l := b.Ledger.(type) {
	case *memory.Ledger:
		l.AgeAudit(id, ledger.AuditLost+time.Second)
	case *postgres.Ledger:
		Silence(b.TB, b.Pool, id)
	}
}

// Silence does the same for an audit of a ledger in Postgres.
func Silence(tb testing.TB, pool *pgxpool.Pool, id string) {
	tb.Helper()
	query := `update audits set seen_at = seen_at - $2::interval where id = $1`
	if _, err := pool.Exec(context.Background(), query, id, ledger.AuditLost+time.Second); err != nil {
		tb.Fatal(err)
	}
}

// LockAgain takes the lock once the server has noticed that the connection of the last session is
// gone.
func LockAgain(t *testing.T, l ledger.Ledger) ledger.Session {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; <-time.After(time.Millisecond) {
		s, err := l.Lock(t.Context())
		if err == nil {
			return s
		}
		if !errors.Is(err, ledger.ErrLocked) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// Awaited returns what a caller of a step waits for.
func Awaited(e wire.Event, nonce string, epoch uint64) wire.Awaited {
	return wire.Awaited{Step: e.Step(nonce), State: e.Record.State, Epoch: epoch}
}

// Pages lists the levels on all pages of a filter.
func Pages(t *testing.T, l ledger.Ledger, f cache.LevelFilter) string {
	t.Helper()
	var names []string
	for {
		page, err := l.LevelPage(t.Context(), f)
		if err != nil || len(page.Levels) > f.Limit {
			t.Fatal(len(page.Levels), err)
		}
		for _, level := range page.Levels {
			names = append(names, string(level.SKU)+"@"+string(level.Location))
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			return strings.Join(names, " ")
		}
	}
}
