package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
)

// ledgers are what the contract holds for.
var ledgers = []struct {
	name string
	open func(tb testing.TB) Ledger
}{

	{"memory", func(testing.TB) Ledger { return NewMemory() }},
	{"postgres", func(tb testing.TB) Ledger { return NewPostgres(openLedger(tb), 0) }},
}

// bench is a ledger and its session, applied up to at.
type bench struct {
	tb      testing.TB
	ledger  Ledger
	session session
	at      cache.Position
	nonces  int
}

// seenAt is when Redis was last seen in these tests, Unix ms.
const seenAt = 1_700_000_000_000

// eachLedger runs a test on each ledger, of which epoch 1 has begun.
func eachLedger(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	for _, l := range ledgers {
		t.Run(l.name, func(t *testing.T) {
			b := &bench{tb: t, ledger: l.open(t)}
			b.lock()
			b.begin(nil, 1)
			test(t, b)
		})
	}
}

func (b *bench) lock() {
	b.tb.Helper()
	s, err := b.ledger.lock(context.Background())
	if err != nil {
		b.tb.Fatal(err)
	}
	b.session = s
	b.tb.Cleanup(s.close)
}

func (b *bench) begin(from *cache.Position, epoch uint64) {
	b.tb.Helper()
	to := cache.Position{
		Epoch: epoch, Sequence: 1, Nonce: fmt.Sprintf("first-%d", epoch), RunID: "run", ReplicationID: "history",
		Shards: 1, Prefix: "holdfast", SeenAt: seenAt,
	}
	if from != nil {
		to.SeenAt = from.SeenAt + 60_000
	}
	if err := b.session.begin(context.Background(), from, to); err != nil {
		b.tb.Fatal(err)
	}
	b.at = to
}

// entry makes the next entry of the stream.
func (b *bench) entry(events ...cache.Event) entry {
	b.nonces++
	b.at.Sequence++
	b.at.Nonce = fmt.Sprintf("n%d", b.nonces)
	id := entryID{b.at.Epoch, b.at.Sequence}
	raw := make([]string, len(events))
	for i := range events {
		raw[i] = fmt.Sprintf("%s of %s", events[i].Verb, events[i].ID)
	}
	return entry{text: id.String(), id: id, nonce: b.at.Nonce, at: b.at.SeenAt + int64(b.nonces), events: events, raw: raw}
}

func (b *bench) apply(entries ...entry) []refusal {
	b.tb.Helper()
	from := b.at
	from.Sequence, from.Nonce = entries[0].id.sequence-1, b.before(entries[0])
	refusals, err := b.session.apply(context.Background(), from, b.at, entries)
	if err != nil {
		b.tb.Fatal(err)
	}
	return refusals
}

// before is the nonce of the entry before e.
func (b *bench) before(e entry) string {
	var n int
	if _, err := fmt.Sscanf(e.nonce, "n%d", &n); err != nil {
		b.tb.Fatal(err)
	}
	if e.id.sequence == 2 {
		return fmt.Sprintf("first-%d", e.id.epoch)
	}
	return fmt.Sprintf("n%d", n-1)
}

// counted is an operation that sets on hand of the one level, from what it was.
func recount(id string, from, to int64) cache.Event {
	return cache.Event{Verb: cache.VerbAdjust, ID: id, Fingerprint: "f-" + id, Reason: "count", Actor: "tester", Levels: []cache.LevelEvent{
		{SKU: at.sku, Location: at.at, OnHandBefore: from, OnHandAfter: to},
	}}
}

// levels is the levels a ledger holds, in words.
func (b *bench) levels() string {
	b.tb.Helper()
	list, err := b.session.levels(context.Background(), nil, 1000)
	if err != nil {
		b.tb.Fatal(err)
	}
	var out strings.Builder
	for _, l := range list {
		fmt.Fprintf(&out, "%s@%s on hand %d held %d committed %d safety %d backorder %d\n", l.SKU, l.Location,
			l.OnHand, l.Held, l.Committed, l.SafetyStock, l.BackorderLimit)
	}
	return out.String()
}

// state is everything a ledger holds, in words.
func (b *bench) state() string {
	b.tb.Helper()
	ctx := context.Background()
	var out strings.Builder
	must := func(err error) {
		b.tb.Helper()
		if err != nil {
			b.tb.Fatal(err)
		}
	}
	out.WriteString(b.levels())
	live, err := b.session.live(ctx, nil, 1000)
	must(err)
	rested, _, err := b.session.rested(ctx, 0, 1000)
	must(err)
	live = append(live, rested...)
	slices.SortFunc(live, func(a, b cache.ReservationRow) int { return strings.Compare(a.ID, b.ID) })
	for _, r := range live {
		fmt.Fprintf(&out, "%s %s\n", r.ID, strings.Map(printable, r.Record.Encode()))
	}
	operations, err := b.session.operations(ctx, 0, "", 1000)
	must(err)
	for _, o := range operations {
		fmt.Fprintf(&out, "operation %s %s %s\n", o.ID, o.Birth, o.Fingerprint)
	}
	limits, err := b.session.limits(ctx, cache.LimitKey{}, 1000)
	must(err)
	for _, l := range limits {
		fmt.Fprintf(&out, "limit %s of %s counts %d\n", l.Limit, l.Customer, l.Units)
	}
	open, err := b.session.open(ctx, 1000)
	must(err)
	for _, r := range open {
		fmt.Fprintf(&out, "refused %s of %s v%d at %s/%d: %s %s\n", r.verb, r.step.ID, r.step.Version, r.entry, r.event, r.reason, r.detail.encode())
	}
	for _, q := range b.quarantined() {
		fmt.Fprintf(&out, "quarantined %s/%d %s\n", q.entry, q.event, q.body)
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

func (b *bench) quarantined() []quarantined {
	switch l := b.ledger.(type) {
	case *Memory:
		return l.Quarantined()
	case *Postgres:
		rows, _ := l.pool.Query(context.Background(), `select entry, event, reason, convert_from(body, 'UTF8') from quarantine order by entry, event`)
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (q quarantined, err error) {
			err = row.Scan(&q.entry, &q.event, &q.reason, &q.body)
			return q, err
		})
		if err != nil {
			b.tb.Fatal(err)
		}
		return list
	default:
		b.tb.Fatalf("ledger of type %T", l)
		return nil
	}
}

func born(id string, e cache.Event, birth string) cache.Event {
	e.ID = id
	e.Record.Birth = birth
	e.Record.Created, e.Record.Expires, e.Record.Fingerprint = seenAt, seenAt+600_000, "f-"+id
	return e
}

// lockAgain waits for the server to notice that the connection of the session before has ended.
func lockAgain(t *testing.T, l Ledger) session {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; <-time.After(time.Millisecond) {
		s, err := l.lock(t.Context())
		if err == nil {
			return s
		}
		if !errors.Is(err, errHeld) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func awaited(e cache.Event, nonce string, epoch uint64) cache.Awaited {
	return cache.Awaited{Step: e.Step(nonce), State: e.Record.State, Epoch: epoch}
}

// pages lists all pages of a filter.
func pages(t *testing.T, l Ledger, f cache.LevelFilter) string {
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
