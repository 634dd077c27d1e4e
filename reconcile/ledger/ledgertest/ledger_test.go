package ledgertest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestLedger_AppliesOnce applies the same entries from a wrong position, which changes nothing.
func TestLedger_AppliesOnce(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		first := b.At
		e := b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(2), "n1"), ledgertest.Born("a", ledgertest.Confirmed(2, 2), "n1"))
		b.Apply(e)
		want := b.State()
		for _, from := range []wire.Position{first, {Epoch: 1, Sequence: b.At.Sequence, Nonce: "another"}, {Epoch: 2, Sequence: 1, Nonce: "first-2"}} {
			if _, err := b.Session.Apply(t.Context(), from, b.At, []ledger.Entry{e}); !errors.Is(err, ledger.ErrMoved) {
				t.Errorf("from %s: %v", from.EntryID(), err)
			}
		}
		if got := b.State(); got != want {
			t.Errorf("applied twice:\n%s\nwant:\n%s", got, want)
		}
		at, there, err := b.Session.Position(t.Context())
		if err != nil || !there || at.Position != b.At {
			t.Errorf("position %+v %v %v, want %+v", at, there, err, b.At)
		}
		if !strings.Contains(want, "TEE@berlin on hand 5 held 0 committed 2") || !strings.Contains(want, "a 1 confirmed 2") {
			t.Error(want)
		}
	})
}

// TestLedger_Quarantine keeps unreadable entries, and those that are set aside.
func TestLedger_Quarantine(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		unreadable := b.Entry()
		unreadable.Fault, unreadable.Raw = cache.ErrCorrupt, []string{"e=nonsense"}
		b.Apply(unreadable, b.Entry(ledgertest.Recount("count", 0, 5)))
		if got := b.State(); !strings.Contains(got, "quarantined 1-2/-1 e=nonsense\n") || !strings.Contains(got, "on hand 5 ") {
			t.Error(got)
		}
		if err := b.Session.SetAside(t.Context(), []ledger.Entry{{Text: "9-9", Raw: []string{"x"}}}, "another history"); err != nil {
			t.Fatal(err)
		}
		if got := b.State(); !strings.Contains(got, "quarantined 9-9/-1 x\n") {
			t.Error(got)
		}
	})
}

// TestPostgres_ConstraintRefusesOne applies 64 events, one of which violates a constraint. The
// others are applied.
func TestPostgres_ConstraintRefusesOne(t *testing.T) {
	b := ledgertest.OpenPostgres(t)
	b.Lock()
	b.Begin(nil, 1)
	events := []wire.Event{ledgertest.Recount("count", 0, 100)}
	for i := range 64 {
		e := ledgertest.Born(fmt.Sprintf("r%02d", i), ledgertest.Reserved(1), "n1")
		if i == 20 {
			e.Record.Lines[0].Requested = 0 // reservation_lines_requested
		}
		events = append(events, e)
	}
	refusals := b.Apply(b.Entry(events...))
	if len(refusals) != 1 || refusals[0].Step.ID != "r20" || refusals[0].Reason != ledger.ReasonConstraint {
		t.Errorf("%+v", refusals)
	}
	state := b.State()
	if !strings.Contains(state, "on hand 100 held 63 ") || !strings.Contains(state, "quarantined 1-2/21 reserve of r20") ||
		strings.Count(state, " held 1 ") != 63 {
		t.Error(state)
	}
}

// TestLedger_Lock refuses a second holder of the lock.
func TestLedger_Lock(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		if _, err := b.Ledger.Lock(t.Context()); !errors.Is(err, ledger.ErrLocked) {
			t.Errorf("a second holder: %v", err)
		}
		b.Session.Close()
		b.Lock()
	})
}

// TestLedger_LockOfAnotherSchema shares a database between two deployments. Each has a lock of its
// own.
func TestLedger_LockOfAnotherSchema(t *testing.T) {
	address := pgtest.Database(t)
	pgtest.Exec(t, address, `create schema other`)
	there, err := url.Parse(address)
	reconciletest.Must(t, err)
	query := there.Query()
	query.Set("search_path", "other")
	there.RawQuery = query.Encode()
	for _, one := range []string{address, there.String()} {
		pool := ledgertest.OpenPool(t, one)
		_, err := postgres.Migrate(t.Context(), pool)
		reconciletest.Must(t, err)
		held, err := postgres.New(pool, 0).Lock(t.Context())
		reconciletest.Must(t, err)
		t.Cleanup(held.Close)
		if _, err := postgres.New(pool, 0).Lock(t.Context()); !errors.Is(err, ledger.ErrLocked) {
			t.Errorf("a second holder: %v", err)
		}
	}
}

// TestLedger_LoadingWhileApplying reads the position while it moves. Sequence and nonce always
// match.
func TestLedger_LoadingWhileApplying(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		const moves = 50
		done := make(chan error, 1)
		go func() {
			for range moves {
				if err := b.Ledger.Loading(context.Background(), func(_ context.Context, p wire.Position) error {
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
			b.Apply(b.Entry(ledgertest.Recount(fmt.Sprintf("count-%d", n), int64(n), int64(n+1))))
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestLedger_Await waits for steps before, while and after they are decided.
func TestLedger_Await(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		sold, oversold := ledgertest.Born("a", ledgertest.Confirmed(2, 3), "n1"), ledgertest.Born("b", ledgertest.Confirmed(2, 3), "n1")
		e := b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(3), "n1"), ledgertest.Born("b", ledgertest.Reserved(3), "n1"), sold, oversold, ledgertest.Recount("gone", 9, 1))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		if err := b.Ledger.Await(ctx, ledgertest.Awaited(sold, e.Nonce, 1)); !errors.Is(err, cache.ErrNotDurable) {
			t.Errorf("not applied yet: %v", err)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- b.Ledger.Await(context.Background(), ledgertest.Awaited(sold, e.Nonce, 1)) }()
		refusals := b.Apply(e)
		b.Ledger.Decided([]ledger.Entry{e}, refusals)
		if err := <-waiting; err != nil {
			t.Errorf("while it was applied: %v", err)
		}
		for _, c := range []struct {
			name string
			a    wire.Awaited
			want error
		}{
			{"applied", ledgertest.Awaited(sold, e.Nonce, 1), nil},
			{"an operation", ledgertest.Awaited(ledgertest.Recount("count", 0, 5), e.Nonce, 1), nil},
			{"refused", ledgertest.Awaited(oversold, e.Nonce, 1), cache.ErrInsufficient},
			{"a refused operation", ledgertest.Awaited(ledgertest.Recount("gone", 9, 1), e.Nonce, 1), cache.ErrInsufficient},
			{"a step of another epoch", ledgertest.Awaited(sold, e.Nonce, 2), cache.ErrNotDurable},
			{"another step with the same version", ledgertest.Awaited(ledgertest.Born("a", ledgertest.Event(cache.VerbRelease, "held", ledgertest.RecordOf("released", 2, 3, 0)), "n1"), e.Nonce, 1), cache.ErrNotDurable},
		} {
			if err := b.Ledger.Await(t.Context(), c.a); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
	})
}

// TestLedger_Begin starts a new epoch, which settles refusals and extends holds by the outage of
// Redis.
func TestLedger_Begin(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		overdue := ledgertest.Born("c", ledgertest.Reserved(1), "n1")
		overdue.Record.Expires = ledgertest.SeenAt
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(5), "n1"), ledgertest.Born("b", ledgertest.Reserved(5), "n1"), overdue,
			ledgertest.Born("a", ledgertest.Confirmed(2, 5), "n1"), ledgertest.Born("b", ledgertest.Confirmed(2, 5), "n1")))
		from := b.At
		b.Begin(&from, 2)
		state := b.State()
		for _, want := range []string{
			"on hand 5 held 1 committed 5 ", // b holds nothing: its confirm was refused
			"a 1 confirmed 2 ", "b 1 expired 3 ", fmt.Sprintf("c 1 held 1 %d ", int64(ledgertest.SeenAt)),
		} {
			if !strings.Contains(state, want) {
				t.Errorf("%q is missing in:\n%s", want, state)
			}
		}
		if strings.Contains(state, "refused") {
			t.Errorf("open refusals:\n%s", state)
		}
		if err := b.Session.Begin(t.Context(), &from, b.At); !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("the same epoch again: %v", err)
		}
	})
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(1), "n1")))
		from := b.At
		b.Begin(&from, 2)
		if got := b.State(); !strings.Contains(got, fmt.Sprintf("a 1 held 1 %d ", ledgertest.SeenAt+660_000)) {
			t.Errorf("the deadline was not extended by the outage:\n%s", got)
		}
	})
}

// TestLedger_Adopt starts an epoch that changes nothing but the position, and ends a claim.
func TestLedger_Adopt(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		b.Apply(b.Entry(ledgertest.Recount("count", 0, 5), ledgertest.Born("a", ledgertest.Reserved(6), "n1"), ledgertest.Born("a", ledgertest.Confirmed(2, 6), "n1")))
		if err := b.Session.Forgotten(t.Context(), ledgertest.SeenAt); err != nil {
			t.Fatal(err)
		}
		state, from, to := b.State(), b.At, b.At
		to.Epoch, to.Sequence, to.Nonce, to.RunID, to.ReplicationID, to.SeenAt = 2, 1, "adopted", "other run", "other history", from.SeenAt+60_000
		if err := b.Ledger.Claim(t.Context(), "other run"); err != nil {
			t.Fatal(err)
		}
		stale := from
		stale.Nonce = "of another history"
		if err := b.Session.Adopt(t.Context(), stale, to); !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("adopted from another position: %v", err)
		}
		if at, _, err := b.Session.Position(t.Context()); err != nil || at.Claim != "other run" || at.Position != from {
			t.Errorf("claimed: %+v, %v", at, err)
		}
		if err := b.Session.Adopt(t.Context(), from, to); err != nil {
			t.Fatal(err)
		}
		b.At = to
		at, _, err := b.Session.Position(t.Context())
		if err != nil || at.Claim != "" || at.Position != to || at.ForgottenTo != ledgertest.SeenAt {
			t.Errorf("adopted: %+v, %v; want %+v", at, err, to)
		}
		if epoch, err := b.Ledger.Epoch(t.Context()); epoch != 2 || err != nil {
			t.Errorf("epoch %d, %v", epoch, err)
		}
		if got := b.State(); got != state {
			t.Errorf("state\n%s\nwas\n%s", got, state)
		}
		if err := b.Session.Adopt(t.Context(), from, to); !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("adopted again: %v", err)
		}
	})
}

// TestLedger_Claim_Old checks that a claim that nobody repeats does not count.
func TestLedger_Claim_Old(t *testing.T) {
	b := ledgertest.OpenPostgres(t)
	b.Lock()
	b.Begin(nil, 1)
	if err := b.Ledger.Claim(t.Context(), "other run"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Pool.Exec(t.Context(), `update positions set claimed_at = claimed_at - make_interval(secs => $1)`, ledger.ClaimFor.Seconds()); err != nil {
		t.Fatal(err)
	}
	if at, _, err := b.Ledger.Position(t.Context()); err != nil || at.Claim != "" {
		t.Errorf("%+v, %v", at, err)
	}
}

// TestLedger_Forgettable lists what Redis may forget, page by page.
func TestLedger_Forgettable(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		var want []string
		var entries []ledger.Entry
		entries = append(entries, b.Entry(ledgertest.Recount("count", 0, 50)))
		for i := range 5 {
			id := fmt.Sprintf("r%d", i)
			e := b.Entry(ledgertest.Born(id, ledgertest.Reserved(1), "n"), ledgertest.Born(id, ledgertest.Event(cache.VerbRelease, "held", ledgertest.RecordOf("released", 2, 1, 0)), "n"))
			e.Events[1].Record.CreationNonce = "n"
			entries = append(entries, e, b.Entry(ledgertest.Born("held"+id, ledgertest.Reserved(1), "n")))
			want = append(want, id)
		}
		b.Apply(entries...)
		var got []string
		operations := 0
		for from, to := int64(0), int64(ledgertest.SeenAt+1000); from < to; {
			f, upTo, err := b.Session.Forgettable(t.Context(), from, to, 2)
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
		if err := b.Session.Forgotten(t.Context(), ledgertest.SeenAt); err != nil {
			t.Fatal(err)
		}
		if at, _, err := b.Session.Position(t.Context()); err != nil || at.ForgottenTo != ledgertest.SeenAt {
			t.Error(at.ForgottenTo, err)
		}
	})
}

// TestLedger_Reads reads reservations, operations and levels.
func TestLedger_Reads(t *testing.T) {
	ledgertest.EachLedger(t, func(t *testing.T, b *ledgertest.Bench) {
		e := ledgertest.Recount("count", 0, 5)
		for _, l := range []ledger.LevelKey{{SKU: "MUG", Location: "berlin"}, {SKU: "MUG", Location: "lyon"}, {SKU: "MUG%", Location: "lyon"}} {
			e.Levels = append(e.Levels, wire.LevelEvent{SKU: l.SKU, Location: l.Location, OnHandAfter: 7})
		}
		held := ledgertest.Born("a", ledgertest.Reserved(2), "n1")
		held.Extra = `{"pickup":"berlin","metadata":{"cart":"x\u0000y"},"lines":{"1":{"ship_to":{"country":"DE","latitude":52.5,"longitude":0}},"2":{"pickup":"lyon"}}}`
		north, zero := 52.5, 0.0
		destinations := map[string]wire.Destination{
			"1": {ShipTo: &location.Address{Country: "DE", Latitude: &north, Longitude: &zero}}, "2": {Pickup: "lyon"},
		}
		b.Apply(b.Entry(e, held, ledgertest.Born("plain", ledgertest.Reserved(1), "n2")))
		ctx := t.Context()
		row, err := b.Ledger.Reservation(ctx, "a")
		if err != nil || row.Record.CreationNonce != "n1" || row.Record.Lines[0].From[0].Quantity != 2 ||
			!maps.Equal(row.Metadata, map[string]string{"cart": "x\x00y"}) ||
			row.Pickup != "berlin" || row.ShipTo != nil || !reflect.DeepEqual(row.Lines, destinations) {
			t.Errorf("%+v, %v", row, err)
		}
		if row, err := b.Ledger.Reservation(ctx, "plain"); err != nil || row.Metadata == nil || len(row.Metadata) > 0 || row.Pickup != "" || row.Lines != nil {
			t.Errorf("%+v, %v", row, err)
		}
		rows, _, err := b.Ledger.Search(ctx, cache.ReservationFilter{Limit: 2}, ledgertest.SeenAt)
		if err != nil || len(rows) != 2 || rows[0].Metadata == nil || len(rows[0].Metadata) > 0 || !maps.Equal(rows[1].Metadata, row.Metadata) ||
			rows[0].Lines != nil || !reflect.DeepEqual(rows[1].Lines, destinations) {
			t.Errorf("%+v, %v", rows, err)
		}
		if _, err := b.Ledger.Reservation(ctx, "b"); !errors.Is(err, cache.ErrNotFound) {
			t.Error(err)
		}
		op, err := b.Ledger.Operation(ctx, "count")
		if err != nil || op.Fingerprint != "f-count" || op.At.UnixMilli() != ledgertest.SeenAt+1 {
			t.Errorf("%+v, %v", op, err)
		}
		if _, err := b.Ledger.Operation(ctx, "a"); !errors.Is(err, cache.ErrNotFound) {
			t.Error(err)
		}
		levels, err := b.Ledger.Levels(ctx, ledgertest.At.SKU)
		if err != nil || len(levels) != 1 || levels[0].OnHand != 5 || levels[0].Held != 3 {
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
			if got := ledgertest.Pages(t, b.Ledger, c.filter); got != c.want {
				t.Errorf("%+v lists %q, want %q", c.filter, got, c.want)
			}
		}
	})
}
