package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/pgtest"
)

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

// TestLedger_LockOfAnotherSchema has two deployments share a database: neither keeps the other from applying.
func TestLedger_LockOfAnotherSchema(t *testing.T) {
	address := pgtest.Database(t)
	pgtest.Exec(t, address, `create schema other`)
	there, err := url.Parse(address)
	must(t, err)
	query := there.Query()
	query.Set("search_path", "other")
	there.RawQuery = query.Encode()
	for _, one := range []string{address, there.String()} {
		pool := openPool(t, one)
		_, err := Migrate(t.Context(), pool)
		must(t, err)
		held, err := NewPostgres(pool, 0).lock(t.Context())
		must(t, err)
		t.Cleanup(held.close)
		if _, err := NewPostgres(pool, 0).lock(t.Context()); !errors.Is(err, errHeld) {
			t.Errorf("a second holder: %v", err)
		}
	}
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
