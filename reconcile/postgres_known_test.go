package reconcile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
)

// openKnown is a ledger of ten units of a level, of which "a" and "b" hold some, and its session that remembers
// them.
func openKnown(t *testing.T) (*bench, *postgresSession) {
	t.Helper()
	b := &bench{tb: t, ledger: NewPostgres(openLedger(t), 0)}
	b.lock()
	b.begin(nil, 1)
	b.apply(b.entry(recount("count", 0, 10), born("a", reserved(2), "n1"), born("b", reserved(3), "n1")))
	return b, b.session.(*postgresSession)
}

// shortly applies one entry the short way, or not at all.
func (b *bench) shortly(s *postgresSession, events ...cache.Event) (done bool) {
	b.tb.Helper()
	from := b.at
	e := b.entry(events...)
	done, err := s.applyKnown(b.tb.Context(), from, b.at, []entry{e})
	if err != nil {
		b.tb.Fatal(err)
	}
	if !done {
		b.at = from
		b.nonces--
	}
	return done
}

func (b *bench) checkState(parts ...string) {
	b.tb.Helper()
	got := b.state()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			b.tb.Errorf("%q is not in\n%s", part, got)
		}
	}
}

// limited has a purchase limit count an event's line.
func limited(e cache.Event) cache.Event {
	e.Record.Customer, e.Record.Lines = "c", slices.Clone(e.Record.Lines)
	e.Record.Lines[0].Limits = []cache.RecordLimit{{ID: "drop", Most: 5, Each: 1}}
	return e
}

func TestKnown_AppliesShortly(t *testing.T) {
	b, s := openKnown(t)
	for _, events := range [][]cache.Event{
		{born("a", confirmed(2, 2), "n1"), born("c", reserved(1), "n2")},
		{born("c", confirmed(2, 1), "n2"), born("d", reserved(1), "n3"), born("d", confirmed(2, 1), "n3")},
		{born("b", event(cache.VerbExpire, cache.StateHeld, rec(cache.StateExpired, 2, 3, 0)), "n1")},
	} {
		if !b.shortly(s, events...) {
			t.Fatalf("%v took the long way", events)
		}
	}
	b.checkState("on hand 10 held 0 committed 4", "a 1 confirmed 2 ", "b 1 expired 2 ", "c 1 confirmed 2 ", "d 1 confirmed 2 ")
}

// TestKnown_TakesTheLongWay has what is not known, or refused, be left to the long way: nothing of it is written.
func TestKnown_TakesTheLongWay(t *testing.T) {
	for name, events := range map[string][]cache.Event{
		"an operation":          {recount("more", 10, 11)},
		"an undoing":            {born("a", event(cache.VerbCompensate, cache.StateHeld, rec(cache.StateExpired, 3, 2, 0)), "n1")},
		"an unknown one":        {born("z", confirmed(2, 2), "n1")},
		"an unknown level":      {of("z", event(cache.VerbReserve, "", cache.Record{State: cache.StateHeld, Version: 1, Birth: "n", Lines: []cache.RecordLine{{Line: "1", SKU: "MUG", Requested: 1, From: []cache.RecordAllocation{{Location: "berlin", Quantity: 1}}}}}))},
		"what a limit counts":   {born("z", limited(reserved(1)), "n1")},
		"a refusal":             {born("a", confirmed(3, 2), "n1")},
		"an id of another":      {born("a", reserved(2), "n7")},
		"a rule's refusal":      {born(strings.Repeat("x", 200), reserved(1), "n1")},
		"a fulfilled sale":      {born("a", event(cache.VerbFulfill, cache.StateConfirmed, rec(cache.StateFulfilled, 3, 2, 2)), "n1")},
		"one after a known one": {born("a", confirmed(2, 2), "n1"), born("z", confirmed(2, 2), "n1")},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := openKnown(t)
			before := b.state()
			if b.shortly(s, events...) {
				t.Error("it took the short way")
			}
			if got := b.state(); got != before {
				t.Errorf("it wrote:\n%s\nbefore:\n%s", got, before)
			}
		})
	}
}

// TestKnown_OverwritesNothing has rows that are not as they are remembered decide: they are read again.
func TestKnown_OverwritesNothing(t *testing.T) {
	for name, c := range map[string]struct{ edit, want string }{
		"a level":         {"update levels set on_hand = 20", "on hand 20 held 3 committed 2"},
		"a hold":          {"update reservations set state = 'confirmed', version = 2 where id = 'a'", "a 1 confirmed 2 "},
		"a hold is gone":  {"delete from reservations where id = 'a'", "refused confirm of a v2"},
		"a level is gone": {"delete from levels", "refused confirm of a v2"},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := openKnown(t)
			if _, err := s.ledger.pool.Exec(t.Context(), c.edit); err != nil {
				t.Fatal(err)
			}
			if b.shortly(s, born("a", confirmed(2, 2), "n1")) {
				t.Error("it took the short way")
			}
			b.apply(b.entry(born("a", confirmed(2, 2), "n1")))
			b.checkState(c.want)
		})
	}
}

// TestKnown_Moved has the loser of two appliers write nothing, whatever it remembers.
func TestKnown_Moved(t *testing.T) {
	b, s := openKnown(t)
	if _, err := s.ledger.pool.Exec(t.Context(), `update positions set sequence = sequence + 1, nonce = 'other'`); err != nil {
		t.Fatal(err)
	}
	before := b.state()
	from := b.at
	e := b.entry(born("a", confirmed(2, 2), "n1"))
	if _, err := s.apply(t.Context(), from, b.at, []entry{e}); !errors.Is(err, errMoved) {
		t.Errorf("%v", err)
	}
	if got := b.state(); got != before {
		t.Errorf("it wrote:\n%s\nbefore:\n%s", got, before)
	}
}

// TestKnown_IDOfAnother has an id that the ledger has, and the session has forgotten, be refused.
func TestKnown_IDOfAnother(t *testing.T) {
	b, s := openKnown(t)
	s.known.holds.drop("a")
	refusals := b.apply(b.entry(born("c", reserved(1), "n2"), born("a", reserved(1), "n3")))
	if len(refusals) != 1 || refusals[0].step.ID != "a" || refusals[0].reason != reasonKnown {
		t.Errorf("%+v", refusals)
	}
	b.checkState("on hand 10 held 6 committed 0", "a 1 held 1 ", "c 1 held 1 ")
}

func TestRecent(t *testing.T) {
	r := newRecent[int, string](2)
	for i, v := range []string{"a", "b", "c", "d", "e"} {
		r.put(i, v)
	}
	for i, want := range []string{"", "", "c", "d", "e"} {
		if got, there := r.find(i); got != want || there != (want != "") {
			t.Errorf("%d is %q %v", i, got, there)
		}
	}
	r.put(2, "again")
	r.drop(3)
	if got, _ := r.find(2); got != "again" {
		t.Errorf("2 is %q", got)
	}
	if _, there := r.find(3); there {
		t.Error("3 is still there")
	}
}
