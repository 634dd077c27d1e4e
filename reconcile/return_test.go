package reconcile

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// returned has units of ord that have left be back, so many of them since this version.
func returned(operation string, version, back, more int64, to location.ID) cache.Event {
	e := event(cache.VerbReturn, cache.StateFulfilled, rec(cache.StateFulfilled, version, 3, 3))
	e.Record.Lines[0].Returned = back
	e.Operation, e.Fingerprint = operation, "f-"+operation
	e.Levels = []cache.LevelEvent{{SKU: at.sku, Location: to, OnHandAfter: more}}
	return e
}

// unrecorded is what a refusal keeps of Redis's record, which other tests look at.
var unrecorded = regexp.MustCompile(`,"record":"[^"]*"`)

func TestLedger_Return(t *testing.T) {
	shipped := func(more ...cache.Event) []cache.Event {
		list := append([]cache.Event{reserved(3), confirmed(2, 3), event(cache.VerbFulfill, "confirmed", rec("fulfilled", 3, 3, 3))}, more...)
		for i := range list {
			list[i] = born("a", list[i], "n1")
		}
		return append([]cache.Event{recount("count", 0, 5)}, list...)
	}
	berlin := func(onHand int) string {
		return fmt.Sprintf("TEE@berlin on hand %d held 0 committed 0 safety 0 backorder 0\n", onHand)
	}
	record := func(version, back int) string {
		return fmt.Sprintf("a 1 fulfilled %d 1700000600000 n1 1700000000000  f-a   |1 TEE 3 %d berlin 3 3\n", version, back)
	}
	const operations = "operation count n1 f-count\n"
	for _, c := range []struct {
		name   string
		events []cache.Event
		want   string
	}{
		{
			"to where they came from", shipped(returned("ret", 4, 2, 2, "berlin")),
			berlin(4) + record(4, 2) + operations + "operation ret n1 f-ret\n",
		},
		{
			"to a new level, in two parts", shipped(returned("ret", 4, 2, 2, "lyon"), returned("rest", 5, 3, 1, "lyon")),
			berlin(2) + "TEE@lyon on hand 3 held 0 committed 0 safety 0 backorder 0\n" + record(5, 3) + operations +
				"operation rest n1 f-rest\noperation ret n1 f-ret\n",
		},
		{
			"the id of another operation", shipped(returned("count", 4, 2, 2, "berlin")),
			berlin(2) + record(3, 0) + operations + `refused return of a v4 at 1-2/4: id_known ` +
				`{"levels":[{"sku":"TEE","location":"berlin","on_hand":2,"safety_stock":0,"backorder_limit":0}],"operation":"count","nonce":"n1"}` + "\n",
		},
		{
			"of another version", shipped(returned("ret", 5, 2, 2, "berlin")),
			berlin(2) + record(3, 0) + operations + `refused return of a v5 at 1-2/4: version ` +
				`{"levels":[{"sku":"TEE","location":"berlin","on_hand":2,"safety_stock":0,"backorder_limit":0}],"operation":"ret","nonce":"n1"}` + "\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachLedger(t, func(t *testing.T, b *bench) {
				b.apply(b.entry(c.events...))
				if got := unrecorded.ReplaceAllString(b.state(), ""); got != c.want {
					t.Errorf("%s\nwant:\n%s", got, c.want)
				}
			})
		})
	}
	t.Run("more than has left", func(t *testing.T) {
		b := &bench{tb: t, ledger: NewPostgres(openLedger(t), 0)}
		b.lock()
		b.begin(nil, 1)
		refusals := b.apply(b.entry(shipped(returned("ret", 4, 4, 4, "berlin"))...))
		if got := b.state(); len(refusals) != 1 || !strings.Contains(got, berlin(2)+record(3, 0)+operations) || !strings.Contains(got, "quarantined 1-2/4") {
			t.Errorf("%+v\n%s", refusals, got)
		}
	})
}

// ret returns units of a.
func ret(id string, units int64, to location.ID) cache.ReturnRequest {
	return cache.ReturnRequest{ID: id, Reservation: "a", To: to, Lines: []cache.LineQuantity{{Line: "1", Quantity: units}}}
}

// shipped is an instance of which three of ten shirts have left, as a.
func (r *rig) shipped(change func(*Reconciler)) *instance {
	r.tb.Helper()
	i := r.started(change)
	i.reserve("a", "TEE", 3)
	i.confirm("a")
	if _, err := i.store.Fulfill(context.Background(), cache.TransitionRequest{ID: "a"}); err != nil {
		r.tb.Fatal(err)
	}
	return i
}

// TestScenario_Return has units come back once, also of what Redis has forgotten, and stay so after a
// rebuild.
func TestScenario_Return(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.shipped(nil)
	r.forgets("a")
	done, err := i.store.Return(t.Context(), ret("ret", 2, "lyon"))
	if err != nil || !done.Durable || done.Replay || done.Version != 4 || done.Lines[0].Returned != 2 || done.State != cache.StateFulfilled {
		t.Fatalf("%+v, %v", done, err)
	}
	r.check()
	for _, forgotten := range []string{"nothing", "the operation", "both"} {
		if forgotten == "the operation" {
			must(t, i.client.HDel(t.Context(), "{holdfast:0}:operations", "ret").Err())
		} else if forgotten == "both" {
			r.forgets("a")
		}
		if again, err := i.store.Return(t.Context(), ret("ret", 2, "lyon")); err != nil || !again.Replay || !again.Durable || again.Lines[0].Returned != 2 {
			t.Errorf("again, %s forgotten: %+v, %v", forgotten, again, err)
		}
	}
	if _, err := i.store.Return(t.Context(), ret("ret", 1, "lyon")); !errors.Is(err, cache.ErrIDConflict) {
		t.Errorf("another return of that id: %v", err)
	}
	if _, err := i.store.Return(t.Context(), ret("more", 2, "lyon")); !errors.Is(err, cache.ErrInvalid) {
		t.Errorf("more than is out: %v", err)
	}
	must(t, i.client.FlushAll(t.Context()).Err())
	i.open(5 * time.Second)
	if rest, err := i.store.Return(t.Context(), ret("rest", 1, "berlin")); err != nil || rest.Lines[0].Returned != 3 {
		t.Errorf("the rest, rebuilt: %+v, %v", rest, err)
	}
	var named int
	must(t, r.pool.QueryRow(t.Context(), `select count(*) from movements where verb = 'return' and reservation_id = 'a' and operation_id in ('ret', 'rest')`).Scan(&named))
	levels, err := i.store.Levels(t.Context(), "TEE")
	if err != nil || len(levels) != 2 || levels[0].OnHand != 8 || levels[1].OnHand != 2 || named != 2 {
		t.Errorf("%+v, %d movements, %v", levels, named, err)
	}
	r.check()
}

// TestScenario_ReturnRefused has the ledger refuse a return: it is undone in Redis, units, record and id.
func TestScenario_ReturnRefused(t *testing.T) {
	t.Parallel()
	for _, to := range []location.ID{"berlin", "lyon"} {
		t.Run(string(to), func(t *testing.T) {
			r := newRig(t)
			i := r.shipped(nil)
			i.count("TEE", "lyon", 1)
			_, err := r.pool.Exec(t.Context(), `create function fail() returns trigger language plpgsql as
$$ begin if new.verb = 'return' then raise exception 'as if' using errcode = 'check_violation'; end if; return new; end $$;
create trigger fail before insert on movements for each row execute function fail()`)
			must(t, err)
			if _, err := i.store.Return(t.Context(), ret("ret", 2, to)); !errors.Is(err, cache.ErrNotDurable) {
				t.Errorf("returned: %v", err)
			}
			r.check()
			if known, err := i.client.HExists(t.Context(), "{holdfast:0}:operations", "ret").Result(); err != nil || known {
				t.Errorf("its id is still taken: %v, %v", known, err)
			}
			_, err = r.pool.Exec(t.Context(), `drop trigger fail on movements`)
			must(t, err)
			if done, err := i.store.Return(t.Context(), ret("ret", 2, to)); err != nil || done.Replay || done.Lines[0].Returned != 2 {
				t.Errorf("again: %+v, %v", done, err)
			}
			r.check()
		})
	}
}
