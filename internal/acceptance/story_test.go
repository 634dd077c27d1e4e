package acceptance

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

// books are the counts that a story expects after a step.
type books struct {
	tee, cap, mug [3]int            // on hand, held, committed
	limits        map[string]string // identity -> units
}

// story tells what happens to one reservation o, step by step.
type story struct {
	*program
	redis *redistest.Server
	url   string // of the ledger
}

// then makes a call, and checks the state and version of the reservation, and all books.
func (s *story) then(t *testing.T, call step, state string, version int, want books) {
	t.Helper()
	call.check = func(body []byte) error {
		var got struct {
			State   string
			Version int
		}
		if err := json.Unmarshal(body, &got); err != nil || got.State != state || got.Version != version {
			return fmt.Errorf("state %s, version %d, want %s, %d (%v)", got.State, got.Version, state, version, err)
		}
		return nil
	}
	s.do(t, "then", call)
	what := call.method + " " + call.path
	for sku, n := range map[string][3]int{"TEE": want.tee, "CAP": want.cap, "MUG": want.mug} {
		at := map[string]string{"TEE": "berlin", "CAP": "berlin", "MUG": "corner"}[sku]
		s.do(t, what, stocked(sku, at, [6]int{n[0], n[1], n[2], 0, 0, n[0] - n[1] - n[2]}))
	}
	limits, err := s.redis.Client(t).HGetAll(t.Context(), "{holdfast:0}:limits").Result()
	counted := map[string]string{}
	for name, units := range limits {
		if _, identity, ok := strings.Cut(name, "\x1f"); ok && units != "0" {
			counted[identity] = units
		}
	}
	if err != nil || !maps.Equal(counted, want.limits) {
		t.Errorf("%s: limits %v, want %v, %v", what, limits, want.limits, err)
	}
	if code, a := audit(t, "--redis-url="+s.redis.URL(), "--postgres-url="+s.url); code != 0 || a.State != "done" || a.Drift != 0 || len(a.Findings) != 0 {
		t.Errorf("%s: audit: exit %d: %+v", what, code, a)
	}
}

// twoDaysLater stops the program, dates all that the ledger knows back by two days, and starts the program
// again.
func (s *story) twoDaysLater(t *testing.T) {
	t.Helper()
	s.terminate()
	pgtest.Exec(t, s.url, `
do $$
declare c record;
begin
    set local session_replication_role = replica; -- a reservation and its lines have one time
    for c in select table_name, column_name from information_schema.columns join information_schema.tables using (table_schema, table_name)
        where table_schema = 'public' and data_type = 'timestamp with time zone' and table_type = 'BASE TABLE'
    loop
        execute format('update %I set %2$I = %2$I - interval ''2 days'' where isfinite(%2$I)', c.table_name, c.column_name);
    end loop;
end $$`)
	s.program = startOn(t, s.redis)
}

// An order's whole life: a guest holds three lines and collects one of them, signs in, edits the order, and
// pays two days after the hold has expired, when Redis has forgotten it. One parcel is shipped and cancelled, another is shipped and comes back.
func TestOrderStory(t *testing.T) {
	t.Parallel()
	redis, url := redistest.Start(t), ledger(t)
	ledgers.Store(redis, url)
	s := &story{startOn(t, redis), redis, url}
	s.do(t, "given", put("/v1/directory", `{"locations": [{"id": "berlin", "zones": ["de"]}, {"id": "corner", "pickup": true}],
		"zones": [{"id": "de", "countries": ["DE"]}], "channels": [{"id": "web", "default": true, "locations": ["berlin", "corner"]}],
		"limits": [{"id": "drop", "skus": ["TEE"], "per_customer": 5}]}`).is(200, ""))
	s.do(t, "given", level("TEE", "berlin", 10))
	s.do(t, "given", level("CAP", "berlin", 10))
	s.do(t, "given", level("MUG", "corner", 5))
	await(t, "the directory", func() bool {
		return s.send(t, post("/v1/route", `{"channel": "none", "customer": "x", "lines": [{"line": "1", "sku": "TEE", "quantity": 1}]}`)).status == 422
	})

	s.then(t, reserve(`{"id": "o", "customer": "guest-7", "ship_to": {"country": "DE"}, "lines": [{"line": "1", "sku": "TEE", "quantity": 2},
		{"line": "2", "sku": "CAP", "quantity": 1}, {"line": "3", "sku": "MUG", "quantity": 1, "pickup": "corner"}]}`), "held", 1,
		books{[3]int{10, 2, 0}, [3]int{10, 1, 0}, [3]int{5, 1, 0}, map[string]string{"guest-7": "2"}})
	s.then(t, step{method: "PATCH", path: "/v1/reservations/o", body: `{"customer": "c-9", "order": "5512"}`, status: 200}, "held", 2,
		books{[3]int{10, 2, 0}, [3]int{10, 1, 0}, [3]int{5, 1, 0}, map[string]string{"c-9": "2"}})
	s.then(t, transition("amend", "o", `{"version": 2, "lines": [{"line": "1", "quantity": 3}, {"line": "2", "quantity": 0},
		{"line": "4", "sku": "CAP", "quantity": 2}]}`), "held", 3,
		books{[3]int{10, 3, 0}, [3]int{10, 2, 0}, [3]int{5, 1, 0}, map[string]string{"c-9": "3"}})

	s.do(t, "when", transition("extend", "o", `{"version": 3, "ttl_seconds": 1}`))
	await(t, "the hold to be swept", func() bool { return s.says(t, read("o"), `"state":"expired","version":5`) })
	free := books{[3]int{10, 0, 0}, [3]int{10, 0, 0}, [3]int{5, 0, 0}, map[string]string{}}
	s.then(t, read("o"), "expired", 5, free)
	s.twoDaysLater(t)
	await(t, "redis to forget it", func() bool {
		known, err := redis.Client(t).HExists(t.Context(), "{holdfast:0}:reservations", "o").Result()
		return err == nil && !known
	})
	paid := books{[3]int{10, 0, 3}, [3]int{10, 0, 2}, [3]int{5, 0, 1}, map[string]string{"c-9": "3"}}
	s.then(t, transition("confirm", "o", ""), "confirmed", 6, paid)
	s.then(t, transition("confirm", "o", "").replayed(), "confirmed", 6, paid)
	s.do(t, "then", get("/v1/reservations?order=5512").is(200, ""))

	s.then(t, transition("fulfill", "o", `{"version": 6, "lines": [{"line": "4", "quantity": 2}]}`), "confirmed", 7,
		books{[3]int{10, 0, 3}, [3]int{8, 0, 0}, [3]int{5, 0, 1}, map[string]string{"c-9": "3"}})
	s.then(t, transition("unfulfill", "o", `{"id": "unship-1", "lines": [{"line": "4", "quantity": 2}]}`), "confirmed", 8, paid)
	s.then(t, transition("fulfill", "o", `{"version": 8, "lines": [{"line": "1", "quantity": 3}]}`), "confirmed", 9,
		books{[3]int{7, 0, 0}, [3]int{10, 0, 2}, [3]int{5, 0, 1}, map[string]string{"c-9": "3"}})
	s.then(t, transition("return", "o", `{"id": "ret-1", "lines": [{"line": "1", "quantity": 1}], "to": "berlin"}`), "confirmed", 10,
		books{[3]int{8, 0, 0}, [3]int{10, 0, 2}, [3]int{5, 0, 1}, map[string]string{"c-9": "3"}})
	s.then(t, transition("fulfill", "o", `{"version": 10}`), "fulfilled", 11,
		books{[3]int{8, 0, 0}, [3]int{8, 0, 0}, [3]int{4, 0, 0}, map[string]string{"c-9": "3"}})
}
