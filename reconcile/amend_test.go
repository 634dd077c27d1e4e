package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// chg returns a request that amends reservation a.
func chg(operation string, lines ...cache.LineAmendment) cache.AmendRequest {
	return cache.AmendRequest{ID: "a", Operation: operation, Lines: lines}
}

// TestScenario_Amend amends a hold as soon as it is made, and then the sale. Everything must survive
// what Redis forgets and a rebuild.
func TestScenario_Amend(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("MUG", "lyon", 4)
	i.Reserve("a", "TEE", 3)
	held, err := i.Store.Amend(t.Context(), chg("add", cache.LineAmendment{Line: "2", SKU: "MUG", Quantity: 2}))
	if err != nil || held.Version != 2 || held.DurableCall || len(held.Lines) != 2 || held.Lines[1].From[0].Location != "lyon" {
		t.Fatalf("%+v, %v", held, err)
	}
	r.Check()
	i.Confirm("a")
	change := chg("chg", cache.LineAmendment{Line: "1", Quantity: 0}, cache.LineAmendment{Line: "2", Quantity: 4}, cache.LineAmendment{Line: "3", SKU: "TEE", Quantity: 9})
	sold, err := i.Store.Amend(t.Context(), change)
	if err != nil || sold.Version != 4 || !sold.Durable || !sold.DurableCall || len(sold.Lines) != 2 || sold.Lines[1].Quantity != 9 {
		t.Fatalf("%+v, %v", sold, err)
	}
	r.Check()
	if _, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "a", Version: 4, Lines: []cache.LineQuantity{{Line: "3", Quantity: 2}}}); err != nil {
		t.Fatal(err)
	}
	again := func(when string) {
		t.Helper()
		if got, err := i.Store.Amend(t.Context(), change); err != nil || !got.Replay || !got.Durable || got.Version != 5 || got.Lines[1].Fulfilled != 2 {
			t.Errorf("again, %s: %+v, %v", when, got, err)
		}
		if _, err := i.Store.Amend(t.Context(), chg("chg", cache.LineAmendment{Line: "2", Quantity: 4})); !errors.Is(err, cache.ErrIDConflict) {
			t.Errorf("another amend of that id, %s: %v", when, err)
		}
	}
	again("at once")
	reconciletest.Must(t, i.Client.HDel(t.Context(), "{holdfast:0}:operations", "chg").Err())
	again("the operation forgotten")
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	i.Open(5 * time.Second)
	again("rebuilt")
	if less, err := i.Store.Amend(t.Context(), chg("less", cache.LineAmendment{Line: "3", Quantity: 2}, cache.LineAmendment{Line: "2", Quantity: 0})); err != nil || less.State != cache.StateFulfilled {
		t.Errorf("to what has left: %+v, %v", less, err)
	}
	r.Check()
	var lines, movements int64
	lines = r.Number(t, `select count(*) from reservation_lines where reservation_id = 'a'`)
	movements = r.Number(t, `select count(*) from movements where verb = 'amend' and reservation_id = 'a' and operation_id in ('add', 'chg', 'less')`)
	if lines != 1 || movements != 5 {
		t.Errorf("%d lines, %d movements", lines, movements)
	}
}

// TestScenario_AmendRefused lets the ledger refuse the amend of a sale: its units, lines and id must
// be undone in Redis, and the sale must stand.
func TestScenario_AmendRefused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("MUG", "lyon", 4)
	i.Reserve("a", "TEE", 3)
	i.Confirm("a")
	r.Quiesce()
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), "{holdfast:0}:stock", "TEE\x1fberlin", 10).Err()) // by hand
	change := chg("chg", cache.LineAmendment{Line: "1", Quantity: 12}, cache.LineAmendment{Line: "2", SKU: "MUG", Quantity: 1})
	_, err := i.Store.Amend(t.Context(), change)
	var short *cache.InsufficientError
	if !errors.As(err, &short) || len(short.Shortages) != 1 || short.Shortages[0].Available != 10 || short.Shortages[0].Requested != 12 {
		t.Errorf("sold twice: %v", err)
	}
	r.Quiesce()
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), "{holdfast:0}:stock", "TEE\x1fberlin", -10).Err())
	r.Check()
	if got := r.State("a"); got.State != cache.StateConfirmed || len(got.Lines) != 1 || got.Lines[0].From[0].Quantity != 3 {
		t.Errorf("%+v", got)
	}
	if known, err := i.Client.HExists(t.Context(), "{holdfast:0}:operations", "chg").Result(); err != nil || known {
		t.Errorf("its id is still taken: %v, %v", known, err)
	}
	change.Lines[0].Quantity = 10
	if done, err := i.Store.Amend(t.Context(), change); err != nil || done.Replay || !done.Durable || len(done.Lines) != 2 {
		t.Errorf("again: %+v, %v", done, err)
	}
	r.Check()
}

// TestScenario_AmendRouted checks that an amend goes by the address, the pickup and the split that
// only the ledger keeps.
func TestScenario_AmendRouted(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("TEE", "lyon", 9)
	i.Count("TEE", "oslo", 9)
	rules, err := location.Compile(location.Directory{
		Zones: []location.Zone{{ID: "de", Countries: []string{"DE"}}, {ID: "fr", Countries: []string{"FR"}}},
		Locations: []location.Location{
			{ID: "berlin", Zones: []string{"de"}}, {ID: "lyon", Zones: []string{"fr"}, Pickup: true}, {ID: "oslo", Zones: []string{"de"}},
		},
		Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: []location.ID{"berlin", "lyon", "oslo"}}},
	})
	reconciletest.Must(t, err)
	i.Store.Direct(rules)
	for id, c := range map[string]struct {
		request cache.ReserveRequest
		lines   []cache.LineAmendment
		want    location.ID
	}{
		"shipped": {
			cache.ReserveRequest{ShipTo: &location.Address{Country: "DE"}, Split: location.SplitUnits, Lines: []cache.LineRequest{{Line: "1", SKU: "TEE", Quantity: 9}}},
			[]cache.LineAmendment{{Line: "1", Quantity: 11}}, "oslo",
		},
		"collected": {
			cache.ReserveRequest{Pickup: "lyon", Lines: []cache.LineRequest{{Line: "1", SKU: "TEE", Quantity: 1}}},
			[]cache.LineAmendment{{Line: "1", Quantity: 0}, {Line: "2", SKU: "TEE", Quantity: 2}}, "lyon",
		},
	} {
		c.request.ID = id
		if _, err := i.Store.Reserve(t.Context(), c.request); err != nil {
			t.Fatal(err)
		}
		got, err := i.Store.Amend(t.Context(), cache.AmendRequest{ID: id, Version: 1, Lines: c.lines})
		if err != nil {
			t.Fatal(err)
		}
		from := got.Lines[0].From
		if last := from[len(from)-1]; last.Location != c.want {
			t.Errorf("%s: %+v, want units of %s", id, from, c.want)
		}
	}
	if _, err := i.Store.Amend(t.Context(), cache.AmendRequest{ID: "shipped", Version: 2, Pickup: "lyon", Lines: []cache.LineAmendment{{Line: "1", Quantity: 1}}}); !errors.Is(err, cache.ErrInvalid) {
		t.Errorf("another address: %v", err)
	}
	r.Check()
}
