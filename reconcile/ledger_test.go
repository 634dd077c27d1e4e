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
	"pgregory.net/rapid"

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
		return l.quarantined
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

func TestLedger_AppliesOnce(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		first := b.at
		e := b.entry(recount("count", 0, 5), born("a", reserved(2), "n1"), born("a", confirmed(2, 2), "n1"))
		b.apply(e)
		want := b.state()
		for _, from := range []cache.Position{first, {Epoch: 1, Sequence: b.at.Sequence, Nonce: "another"}, {Epoch: 2, Sequence: 1, Nonce: "first-2"}} {
			if _, err := b.session.apply(t.Context(), from, b.at, []entry{e}); !errors.Is(err, errMoved) {
				t.Errorf("from %s: %v", from.EntryID(), err)
			}
		}
		if got := b.state(); got != want {
			t.Errorf("applied twice:\n%s\nwant:\n%s", got, want)
		}
		at, there, err := b.session.position(t.Context())
		if err != nil || !there || at.Position != b.at {
			t.Errorf("position %+v %v %v, want %+v", at, there, err, b.at)
		}
		if !strings.Contains(want, "TEE@berlin on hand 5 held 0 committed 2") || !strings.Contains(want, "a 1 confirmed 2") {
			t.Error(want)
		}
	})
}

// TestLedger_OfTheSame has both ledgers decide the same of random entries, whether they come one by one,
// as the session remembers those before, or all in one batch.
func TestLedger_OfTheSame(t *testing.T) {
	pool := openLedger(t)
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(drawEvents(), 1, 8).Draw(rt, "entries")
		want := stateOf(t, NewMemory(), script, true)
		for _, oneByOne := range []bool{false, true} {
			_, err := pool.Exec(t.Context(), `alter table movements disable trigger movements_append_only;
truncate levels, reservations, reservation_lines, operations, movements, positions, refusals, quarantine, limit_counts;
alter table movements enable trigger movements_append_only`)
			if err != nil {
				t.Fatal(err)
			}
			if got := stateOf(t, NewPostgres(pool, 0), script, oneByOne); got != want {
				rt.Fatalf("memory, one by one:\n%s\npostgres, one by one %v:\n%s", want, oneByOne, got)
			}
			checkMovements(t, rt, pool)
		}
	})
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

// stateOf is what entries leave in a ledger, before and after a rebuild.
func stateOf(t *testing.T, l Ledger, script [][]cache.Event, oneByOne bool) string {
	b := &bench{tb: t, ledger: l, session: lockAgain(t, l)}
	defer b.session.close()
	b.begin(nil, 1)
	var entries []entry
	for _, events := range script {
		entries = append(entries, b.entry(slices.Clone(events)...))
	}
	if oneByOne {
		end := b.at
		for _, e := range entries {
			b.at.Sequence, b.at.Nonce = e.id.sequence, e.nonce
			b.apply(e)
		}
		b.at = end
	} else {
		b.apply(entries...)
	}
	state := b.state()
	from := b.at
	b.begin(&from, 2)
	since, err := l.Since(t.Context(), seenAt+2, []cache.LevelName{{SKU: at.sku, Location: at.at}, {SKU: at.sku, Location: "lyon"}})
	return state + "rebuilt\n" + b.state() + fmt.Sprintln(since, err)
}

// checkMovements has movements, replayed from nothing, give the levels.
func checkMovements(t *testing.T, rt *rapid.T, pool querier) {
	rows, _ := pool.Query(t.Context(), `
select sku from levels l full join (
    select sku, location, sum(on_hand) as on_hand, sum(held) as held, sum(committed) as committed from movements group by 1, 2
) m using (sku, location)
where (coalesce(l.on_hand, 0), coalesce(l.held, 0), coalesce(l.committed, 0)) is distinct from (coalesce(m.on_hand, 0), coalesce(m.held, 0), coalesce(m.committed, 0))`)
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(wrong) > 0 {
		rt.Fatalf("levels that movements do not give: %v %v", wrong, err)
	}
}

// drawEvents draws the events of one entry, of few reservations and levels, so that they meet.
func drawEvents() *rapid.Generator[[]cache.Event] {
	states := []cache.State{cache.StateHeld, cache.StateConfirmed, cache.StateFulfilled, cache.StateReleased, cache.StateExpired}
	verbs := []cache.Verb{cache.VerbReserve, cache.VerbConfirm, cache.VerbRelease, cache.VerbFulfill, cache.VerbExpire, cache.VerbCompensate}
	event := rapid.Custom(func(t *rapid.T) cache.Event {
		id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
		if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
			if rapid.IntRange(0, 4).Draw(t, "revert") == 0 {
				return cache.Event{Verb: cache.VerbRevert, ID: id, Birth: "n1"}
			}
			if rapid.IntRange(0, 3).Draw(t, "remove") == 0 {
				return removal(id, rapid.Int64Range(0, 3).Draw(t, "on hand"))
			}
			if rapid.IntRange(0, 3).Draw(t, "transfer") == 0 {
				return transferred(id, "lyon", rapid.Int64Range(1, 5).Draw(t, "units"))
			}
			e := recount(id, rapid.Int64Range(0, 3).Draw(t, "from"), rapid.Int64Range(0, 9).Draw(t, "to"))
			e.Levels[0].Counted = rapid.Bool().Draw(t, "counted")
			return e
		}
		if rapid.IntRange(0, 6).Draw(t, "return") == 0 {
			return drawReturn(t, id)
		}
		verb := rapid.SampledFrom(verbs).Draw(t, "verb")
		version, units := rapid.Int64Range(1, 4).Draw(t, "version"), rapid.Int64Range(1, 4).Draw(t, "units")
		state := rapid.SampledFrom(states).Draw(t, "state")
		before := rapid.SampledFrom(states).Draw(t, "before")
		fulfilled := int64(0)
		switch verb {
		case cache.VerbReserve:
			version, state, before = 1, cache.StateHeld, ""
		case cache.VerbConfirm:
			state = cache.StateConfirmed
			before = rapid.SampledFrom([]cache.State{cache.StateHeld, cache.StateExpired}).Draw(t, "from")
		case cache.VerbExpire:
			state, before = cache.StateExpired, cache.StateHeld
		case cache.VerbFulfill:
			state, before, fulfilled = cache.StateFulfilled, cache.StateConfirmed, units
		}
		birth := rapid.SampledFrom([]string{"n1", "n2"}).Draw(t, "birth")
		return born(id, event(verb, before, maybeLimited(id, birth, rec(state, version, units, fulfilled))), birth)
	})
	return rapid.SliceOfN(event, 1, 12)
}

// maybeLimited has a purchase limit count a record, or not: the same in all events of a reservation, for no
// step changes that.
func maybeLimited(id, birth string, r cache.Record) cache.Record {
	customers := map[string]string{"a n1": "c-1", "b n1": "c-2", "b n2": "c-1", "c n2": "c-1"}
	if customer := customers[id+" "+birth]; customer != "" {
		r.Customer = customer
		r.Lines[0].Limits = []cache.RecordLimit{{ID: "drop", Most: 9, Each: 1}}
	}
	return r
}

// drawReturn draws a return of a fulfilled reservation.
func drawReturn(t *rapid.T, id string) cache.Event {
	units := rapid.Int64Range(1, 4).Draw(t, "units")
	e := returned(rapid.SampledFrom([]string{"ret", "a"}).Draw(t, "operation"), rapid.Int64Range(3, 5).Draw(t, "version"), 0, 0, "lyon")
	e.Record.Lines[0].Requested = units
	e.Record.Lines[0].From[0].Quantity, e.Record.Lines[0].From[0].Fulfilled = units, units
	e.Record.Lines[0].Returned = rapid.Int64Range(1, units).Draw(t, "back")
	e.Record = maybeLimited(id, "n1", e.Record)
	return born(id, e, "n1")
}

func TestLedger_Quarantine(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		unreadable := b.entry()
		unreadable.fault, unreadable.raw = cache.ErrCorrupt, []string{"e=nonsense"}
		b.apply(unreadable, b.entry(recount("count", 0, 5)))
		if got := b.state(); !strings.Contains(got, "quarantined 1-2/-1 e=nonsense\n") || !strings.Contains(got, "on hand 5 ") {
			t.Error(got)
		}
		if err := b.session.setAside(t.Context(), []entry{{text: "9-9", raw: []string{"x"}}}, "another history"); err != nil {
			t.Fatal(err)
		}
		if got := b.state(); !strings.Contains(got, "quarantined 9-9/-1 x\n") {
			t.Error(got)
		}
	})
}

// TestPostgres_OneRefused has one of 64 events that a constraint refuses keep none of the others out.
func TestPostgres_OneRefused(t *testing.T) {
	b := &bench{tb: t, ledger: NewPostgres(openLedger(t), 0)}
	b.lock()
	b.begin(nil, 1)
	events := []cache.Event{recount("count", 0, 100)}
	for i := range 64 {
		e := born(fmt.Sprintf("r%02d", i), reserved(1), "n1")
		if i == 20 {
			e.Record.Lines[0].Requested = 0 // reservation_lines_requested
		}
		events = append(events, e)
	}
	refusals := b.apply(b.entry(events...))
	if len(refusals) != 1 || refusals[0].step.ID != "r20" || refusals[0].reason != reasonConstraint {
		t.Errorf("%+v", refusals)
	}
	state := b.state()
	if !strings.Contains(state, "on hand 100 held 63 ") || !strings.Contains(state, "quarantined 1-2/21 reserve of r20") ||
		strings.Count(state, " held 1 ") != 63 {
		t.Error(state)
	}
}

func TestLedger_Lock(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		if _, err := b.ledger.lock(t.Context()); !errors.Is(err, errHeld) {
			t.Errorf("a second holder: %v", err)
		}
		b.session.close()
		b.lock()
	})
}

// TestLedger_LoadingBesideApplying has the position be handed out whole while another process, or goroutine, moves
// it on.
func TestLedger_LoadingBesideApplying(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		const moves = 50
		done := make(chan error, 1)
		go func() {
			for range moves {
				if err := b.ledger.Loading(context.Background(), func(_ context.Context, p cache.Position) error {
					if first := p.Sequence == 1 && p.Nonce == "first-1"; !first && p.Nonce != fmt.Sprintf("n%d", p.Sequence-1) {
						return fmt.Errorf("entry %d with the nonce of another: %s", p.Sequence, p.Nonce)
					}
					return nil
				}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for n := range moves {
			b.apply(b.entry(recount(fmt.Sprintf("count-%d", n), int64(n), int64(n+1))))
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func awaited(e cache.Event, nonce string, epoch uint64) cache.Awaited {
	return cache.Awaited{Step: e.Step(nonce), State: e.Record.State, Epoch: epoch}
}

func TestLedger_Await(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		sold, oversold := born("a", confirmed(2, 3), "n1"), born("b", confirmed(2, 3), "n1")
		e := b.entry(recount("count", 0, 5), born("a", reserved(3), "n1"), born("b", reserved(3), "n1"), sold, oversold, recount("gone", 9, 1))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		if err := b.ledger.Await(ctx, awaited(sold, e.nonce, 1)); !errors.Is(err, cache.ErrNotDurable) {
			t.Errorf("not applied yet: %v", err)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- b.ledger.Await(context.Background(), awaited(sold, e.nonce, 1)) }()
		refusals := b.apply(e)
		b.ledger.decided([]entry{e}, refusals)
		if err := <-waiting; err != nil {
			t.Errorf("while it was applied: %v", err)
		}
		for _, c := range []struct {
			name string
			a    cache.Awaited
			want error
		}{
			{"applied", awaited(sold, e.nonce, 1), nil},
			{"an operation", awaited(recount("count", 0, 5), e.nonce, 1), nil},
			{"refused", awaited(oversold, e.nonce, 1), cache.ErrInsufficient},
			{"a refused operation", awaited(recount("gone", 9, 1), e.nonce, 1), cache.ErrInsufficient},
			{"of another epoch", awaited(sold, e.nonce, 2), cache.ErrNotDurable},
			{"another step of that version", awaited(born("a", event(cache.VerbRelease, "held", rec("released", 2, 3, 0)), "n1"), e.nonce, 1), cache.ErrNotDurable},
		} {
			if err := b.ledger.Await(t.Context(), c.a); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
	})
}

// TestLedger_Begin has a new epoch settle what was refused, and give holds the time that Redis was away.
func TestLedger_Begin(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		overdue := born("c", reserved(1), "n1")
		overdue.Record.Expires = seenAt
		b.apply(b.entry(recount("count", 0, 5), born("a", reserved(5), "n1"), born("b", reserved(5), "n1"), overdue,
			born("a", confirmed(2, 5), "n1"), born("b", confirmed(2, 5), "n1")))
		from := b.at
		b.begin(&from, 2)
		state := b.state()
		for _, want := range []string{
			"on hand 5 held 1 committed 5 ", // b's units are no longer held: it was refused
			"a 1 confirmed 2 ", "b 1 expired 3 ", fmt.Sprintf("c 1 held 1 %d ", int64(seenAt)),
		} {
			if !strings.Contains(state, want) {
				t.Errorf("%q is missing in:\n%s", want, state)
			}
		}
		if strings.Contains(state, "refused") {
			t.Errorf("open refusals:\n%s", state)
		}
		if err := b.session.begin(t.Context(), &from, b.at); !errors.Is(err, errMoved) {
			t.Errorf("begun again from before: %v", err)
		}
	})
	eachLedger(t, func(t *testing.T, b *bench) {
		b.apply(b.entry(recount("count", 0, 5), born("a", reserved(1), "n1")))
		from := b.at
		b.begin(&from, 2)
		if got := b.state(); !strings.Contains(got, fmt.Sprintf("a 1 held 1 %d ", seenAt+660_000)) {
			t.Errorf("the deadline was not extended by the outage:\n%s", got)
		}
	})
}

func TestLedger_Forgettable(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		var want []string
		var entries []entry
		entries = append(entries, b.entry(recount("count", 0, 50)))
		for i := range 5 {
			id := fmt.Sprintf("r%d", i)
			e := b.entry(born(id, reserved(1), "n"), born(id, event(cache.VerbRelease, "held", rec("released", 2, 1, 0)), "n"))
			e.events[1].Record.Birth = "n"
			entries = append(entries, e, b.entry(born("held"+id, reserved(1), "n")))
			want = append(want, id)
		}
		b.apply(entries...)
		var got []string
		operations := 0
		for from, to := int64(0), int64(seenAt+1000); from < to; {
			f, upTo, err := b.session.forgettable(t.Context(), from, to, 2)
			if err != nil || upTo <= from {
				t.Fatal(upTo, err)
			}
			for _, step := range f.Reservations {
				got = append(got, step.ID)
			}
			operations += len(f.Operations)
			from = upTo
		}
		if !slices.Equal(got, want) || operations != 1 {
			t.Errorf("%v and %d operations, want %v and 1", got, operations, want)
		}
		if err := b.session.forgotten(t.Context(), seenAt); err != nil {
			t.Fatal(err)
		}
		if at, _, err := b.session.position(t.Context()); err != nil || at.forgottenTo != seenAt {
			t.Error(at.forgottenTo, err)
		}
	})
}

func TestLedger_Reads(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		e := recount("count", 0, 5)
		for _, l := range []levelKey{{"MUG", "berlin"}, {"MUG", "lyon"}, {"MUG%", "lyon"}} {
			e.Levels = append(e.Levels, cache.LevelEvent{SKU: l.sku, Location: l.at, OnHandAfter: 7})
		}
		b.apply(b.entry(e, born("a", reserved(2), "n1")))
		ctx := t.Context()
		record, err := b.ledger.Reservation(ctx, "a")
		if err != nil || record.Birth != "n1" || record.Lines[0].From[0].Quantity != 2 {
			t.Errorf("%+v, %v", record, err)
		}
		if _, err := b.ledger.Reservation(ctx, "b"); !errors.Is(err, cache.ErrNotFound) {
			t.Error(err)
		}
		op, err := b.ledger.Operation(ctx, "count")
		if err != nil || op.Fingerprint != "f-count" || op.At.UnixMilli() != seenAt+1 {
			t.Errorf("%+v, %v", op, err)
		}
		if _, err := b.ledger.Operation(ctx, "a"); !errors.Is(err, cache.ErrNotFound) {
			t.Error(err)
		}
		levels, err := b.ledger.Levels(ctx, at.sku)
		if err != nil || len(levels) != 1 || levels[0].OnHand != 5 || levels[0].Held != 2 {
			t.Errorf("%+v, %v", levels, err)
		}
		for _, c := range []struct {
			filter cache.LevelFilter
			want   string
		}{
			{cache.LevelFilter{Limit: 1}, "MUG@berlin MUG@lyon MUG%@lyon TEE@berlin"},
			{cache.LevelFilter{Limit: 3, Location: "lyon"}, "MUG@lyon MUG%@lyon"},
			{cache.LevelFilter{Limit: 2, SKUPrefix: "MUG"}, "MUG@berlin MUG@lyon MUG%@lyon"},
			{cache.LevelFilter{Limit: 2, SKUPrefix: "MUG%"}, "MUG%@lyon"},
			{cache.LevelFilter{Limit: 2, SKUPrefix: "X"}, ""},
		} {
			if got := pages(t, b.ledger, c.filter); got != c.want {
				t.Errorf("%+v lists %q, want %q", c.filter, got, c.want)
			}
		}
	})
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
