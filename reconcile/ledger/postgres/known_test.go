package postgres_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// openKnown opens a ledger with ten units of a level, of which "a" and "b" hold some. Its session
// remembers them.
func openKnown(t *testing.T) (*ledgertest.Bench, *postgres.Session) {
	t.Helper()
	b := ledgertest.OpenPostgres(t)
	b.Lock()
	b.Begin(nil, 1)
	b.Apply(b.Entry(ledgertest.Recount("count", 0, 10), ledgertest.Born("a", ledgertest.Reserved(2), "n1"), ledgertest.Born("b", ledgertest.Reserved(3), "n1")))
	return b, b.Session.(*postgres.Session)
}

// applyKnown applies one entry from memory, and reports whether that was possible.
func applyKnown(b *ledgertest.Bench, s *postgres.Session, events ...wire.Event) (done bool) {
	b.TB.Helper()
	from := b.At
	e := b.Entry(events...)
	done, err := s.ApplyKnown(b.TB.Context(), from, b.At, []ledger.Entry{e})
	if err != nil {
		b.TB.Fatal(err)
	}
	if !done {
		b.At = from
		b.Nonces--
	}
	return done
}

func checkState(b *ledgertest.Bench, parts ...string) {
	b.TB.Helper()
	got := b.State()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			b.TB.Errorf("%q is not in\n%s", part, got)
		}
	}
}

// limited adds a purchase limit to the line of an event.
func limited(e wire.Event) wire.Event {
	e.Record.Customer, e.Record.Lines = "c", slices.Clone(e.Record.Lines)
	e.Record.Lines[0].Limits = []wire.RecordLimit{{ID: "drop", Most: 5, Each: 1}}
	return e
}

func TestKnown_AppliesShortly(t *testing.T) {
	b, s := openKnown(t)
	for _, events := range [][]wire.Event{
		{ledgertest.Born("a", ledgertest.Confirmed(2, 2), "n1"), ledgertest.Born("c", ledgertest.Reserved(1), "n2")},
		{ledgertest.Born("c", ledgertest.Confirmed(2, 1), "n2"), ledgertest.Born("d", ledgertest.Reserved(1), "n3"), ledgertest.Born("d", ledgertest.Confirmed(2, 1), "n3")},
		{ledgertest.Born("b", ledgertest.Event(cache.VerbExpire, cache.StateHeld, ledgertest.RecordOf(cache.StateExpired, 2, 3, 0)), "n1")},
	} {
		if !applyKnown(b, s, events...) {
			t.Fatalf("%v was not applied from memory", events)
		}
	}
	checkState(b, "on hand 10 held 0 committed 4", "a 1 confirmed 2 ", "b 1 expired 2 ", "c 1 confirmed 2 ", "d 1 confirmed 2 ")
}

// TestKnown_Unknown checks that unknown rows and refused events are not applied from memory, and
// that nothing is written.
func TestKnown_Unknown(t *testing.T) {
	for name, events := range map[string][]wire.Event{
		"an operation":          {ledgertest.Recount("more", 10, 11)},
		"an undoing":            {ledgertest.Born("a", ledgertest.Event(wire.VerbCompensate, cache.StateHeld, ledgertest.RecordOf(cache.StateExpired, 3, 2, 0)), "n1")},
		"an unknown one":        {ledgertest.Born("z", ledgertest.Confirmed(2, 2), "n1")},
		"an unknown level":      {ledgertest.By("z", ledgertest.Event(cache.VerbReserve, "", wire.Record{State: cache.StateHeld, Version: 1, CreationNonce: "n", Lines: []wire.RecordLine{{Line: "1", SKU: "MUG", Requested: 1, From: []wire.RecordAllocation{{Location: "berlin", Quantity: 1}}}}}))},
		"what a limit counts":   {ledgertest.Born("z", limited(ledgertest.Reserved(1)), "n1")},
		"a refusal":             {ledgertest.Born("a", ledgertest.Confirmed(3, 2), "n1")},
		"an id of another":      {ledgertest.Born("a", ledgertest.Reserved(2), "n7")},
		"a rule's refusal":      {ledgertest.Born(strings.Repeat("x", 200), ledgertest.Reserved(1), "n1")},
		"a fulfilled sale":      {ledgertest.Born("a", ledgertest.Event(cache.VerbFulfill, cache.StateConfirmed, ledgertest.RecordOf(cache.StateFulfilled, 3, 2, 2)), "n1")},
		"one after a known one": {ledgertest.Born("a", ledgertest.Confirmed(2, 2), "n1"), ledgertest.Born("z", ledgertest.Confirmed(2, 2), "n1")},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := openKnown(t)
			before := b.State()
			if applyKnown(b, s, events...) {
				t.Error("it was applied from memory")
			}
			if got := b.State(); got != before {
				t.Errorf("it wrote:\n%s\nbefore:\n%s", got, before)
			}
		})
	}
}

// TestKnown_OverwritesNothing checks that rows that were edited by hand are read again.
func TestKnown_OverwritesNothing(t *testing.T) {
	for name, c := range map[string]struct{ edit, want string }{
		"a level":         {"update levels set on_hand = 20", "on hand 20 held 3 committed 2"},
		"a hold":          {"update reservations set state = 'confirmed', version = 2 where id = 'a'", "a 1 confirmed 2 "},
		"a hold is gone":  {"delete from reservations where id = 'a'", "refused confirm of a v2"},
		"a level is gone": {"delete from levels", "refused confirm of a v2"},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := openKnown(t)
			if _, err := b.Pool.Exec(t.Context(), c.edit); err != nil {
				t.Fatal(err)
			}
			if applyKnown(b, s, ledgertest.Born("a", ledgertest.Confirmed(2, 2), "n1")) {
				t.Error("it was applied from memory")
			}
			b.Apply(b.Entry(ledgertest.Born("a", ledgertest.Confirmed(2, 2), "n1")))
			checkState(b, c.want)
		})
	}
}

// TestKnown_Moved checks that the loser of two appliers writes nothing, whatever it remembers.
func TestKnown_Moved(t *testing.T) {
	b, s := openKnown(t)
	if _, err := b.Pool.Exec(t.Context(), `update positions set sequence = sequence + 1, nonce = 'other'`); err != nil {
		t.Fatal(err)
	}
	before := b.State()
	from := b.At
	e := b.Entry(ledgertest.Born("a", ledgertest.Confirmed(2, 2), "n1"))
	if _, err := s.Apply(t.Context(), from, b.At, []ledger.Entry{e}); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("%v", err)
	}
	if got := b.State(); got != before {
		t.Errorf("it wrote:\n%s\nbefore:\n%s", got, before)
	}
}

// TestKnown_MovedByAnother checks that a session forgets everything once another one has applied.
func TestKnown_MovedByAnother(t *testing.T) {
	b, s := openKnown(t)
	other := s.Another()
	b.Session = other
	b.Apply(b.Entry(ledgertest.Born("a", ledgertest.Event(cache.VerbExtend, cache.StateHeld, ledgertest.RecordOf(cache.StateHeld, 2, 2, 0)), "n1"))) // no level moves
	b.Session = s
	b.Apply(b.Entry(ledgertest.Born("b", ledgertest.Confirmed(2, 3), "n1")))
	if s.Remembers("a") {
		t.Error("it remembers a hold from before")
	}
	checkState(b, "on hand 10 held 2 committed 3", "a 1 held 2 ", "b 1 confirmed 2 ")
}

// TestKnown_IDOfAnother checks that an id that the ledger has and the session has forgotten is
// refused.
func TestKnown_IDOfAnother(t *testing.T) {
	b, s := openKnown(t)
	s.Forget("a")
	refusals := b.Apply(b.Entry(ledgertest.Born("c", ledgertest.Reserved(1), "n2"), ledgertest.Born("a", ledgertest.Reserved(1), "n3")))
	if len(refusals) != 1 || refusals[0].Step.ID != "a" || refusals[0].Reason != ledger.ReasonKnown {
		t.Errorf("%+v", refusals)
	}
	checkState(b, "on hand 10 held 6 committed 0", "a 1 held 1 ", "c 1 held 1 ")
}
