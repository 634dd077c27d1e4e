package acceptance

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
)

// answerMax bounds a call if Redis does not answer: the store's time-out, and what a busy machine adds.
const answerMax = 2*time.Second + busy

// calls has each call except the listing once. They use a reservation o of one unit of A.
var calls = []step{
	hold("new", "A", 1),
	hold("o", "A", 1),
	read("o"),
	transition("confirm", "o", ""),
	transition("release", "o", ""),
	transition("extend", "o", ""),
	transition("fulfill", "o", ""),
	put("/v1/stock/A/berlin", `{"id": "count", "on_hand": 7}`),
	post("/v1/stock/adjustments", `{"id": "delta", "sku": "A", "location": "berlin", "delta": 1}`),
	counts("counts", `{"sku": "A", "location": "berlin", "on_hand": 7}`),
	get("/v1/stock/A"),
}

// allRefused makes every call of list four times, all at once, and wants the same refusal from each.
func (p *program) allRefused(t *testing.T, list []step, code string) {
	t.Helper()
	var all sync.WaitGroup
	for _, s := range list {
		for range 4 {
			all.Go(func() {
				began := time.Now()
				p.do(t, "when", s.refused(503, code, ""))
				if took := time.Since(began); took > answerMax {
					t.Errorf("%s %s took %v", s.method, s.path, took)
				}
			})
		}
	}
	all.Wait()
}

// comesBack repeats a step until it is no longer answered 503, and then checks its answer.
func (p *program) comesBack(t *testing.T, s step) {
	t.Helper()
	await(t, s.method+" "+s.path+" to be answered again", func() bool { return p.send(t, s).status != 503 })
	p.do(t, "then", s)
}

func TestRedisIsKilledAndComesBack(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	p.do(t, "given", hold("sold", "A", 2))
	p.do(t, "given", transition("confirm", "sold", ""))
	redis.Kill()
	p.allRefused(t, append(calls[:len(calls):len(calls)], get("/v1/stock")), "unavailable")
	p.do(t, "when", get("/readyz").refused(503, "unavailable", ""))
	p.do(t, "when", get("/livez"))
	// It has its data but no scripts.
	redis.Restart()
	p.comesBack(t, hold("o", "A", 1).is(200, reservation("o", "held", 1, line("1", "A", 1, 1, 0, "berlin"), "")).replayed())
	p.do(t, "then", transition("confirm", "sold", "").is(200, reservation("sold", "confirmed", 2, line("1", "A", 2, 2, 0, "berlin"), durable)).replayed())
	p.do(t, "then", hold("next", "A", 1))
	p.do(t, "then", stocked("A", "berlin", [6]int{5, 2, 2, 0, 0, 1}))
	p.do(t, "then", get("/readyz"))
}

// A Redis that hangs may still run the calls that it got. A repeat with the same id finds out, and takes
// nothing twice.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	redis.Pause()
	p.allRefused(t, calls, "unavailable")
	p.do(t, "when", get("/readyz").refused(503, "unavailable", ""))
	redis.Resume()
	p.comesBack(t, get("/readyz"))
	// The reservation o may be confirmed or released by now. Only the state of new is certain.
	if got := p.send(t, hold("new", "A", 1)); got.status != 201 && got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	p.do(t, "then", hold("new", "A", 1).is(200, "").replayed())
	p.do(t, "then", read("new").is(200, reservation("new", "held", 1, line("1", "A", 1, 1, 0, "berlin"), "")))
}

// Listings do not wait for each other, even if Redis hangs.
func TestListingWhileRedisHangs(t *testing.T) {
	t.Parallel()
	const callers = 10
	redis := redistest.Start(t)
	p := startOn(t, redis)
	p.do(t, "given", get("/v1/stock"))
	redis.Pause()
	began := time.Now()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() { p.do(t, "when", get("/v1/stock").refused(503, "unavailable", "")) })
	}
	all.Wait()
	redis.Resume()
	if took := time.Since(began); took > answerMax {
		t.Errorf("%d listings at once took %v, at most %v is allowed", callers, took, answerMax)
	}
}

// A Redis that has lost its data is rebuilt from the ledger. Sales and holds are there again, and nothing
// is sold twice.
func TestRedisLosesItsData(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, redis *redistest.Server){
		"restarted empty, without scripts": func(_ *testing.T, redis *redistest.Server) { redis.Restart() },
		"flushed, with scripts": func(t *testing.T, redis *redistest.Server) {
			if err := redis.Client(t).FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			p := startOn(t, redis)
			p.do(t, "given", level("A", "berlin", 5))
			p.do(t, "given", hold("o", "A", 1))
			p.do(t, "given", hold("sold", "A", 2))
			p.do(t, "given", transition("confirm", "sold", ""))
			p.do(t, "given", stocked("A", "berlin", [6]int{5, 1, 2, 0, 0, 2})) // all of it is in the ledger
			lose(t, redis)
			p.comesBack(t, read("sold").is(200, reservation("sold", "confirmed", 2, line("1", "A", 2, 2, 0, "berlin"), "")))
			p.do(t, "then", hold("more", "A", 3).refused(409, "insufficient_stock", `"shortages": [{"line": "1", "sku": "A", "requested": 3, "available": 2}]`))
			p.do(t, "then", transition("confirm", "o", "").is(200, reservation("o", "confirmed", 2, line("1", "A", 1, 1, 0, "berlin"), durable)))
			p.do(t, "then", stocked("A", "berlin", [6]int{5, 0, 3, 0, 0, 2}))
		})
	}
}

// If Redis does not run yet, the program starts and answers 503. It serves as soon as Redis runs.
func TestRedisComesLate(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	p := startOn(t, redis)
	p.allRefused(t, calls, "unavailable")
	redis.Restart()
	p.comesBack(t, get("/readyz"))
	p.do(t, "then", level("A", "berlin", 5))
	p.do(t, "then", hold("o", "A", 1))
}

// TestGate closes the gate itself. In production the reconciler does.
func TestGate(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startOn(t, redis)
	client := redis.Client(t)
	gate := func(word string) {
		t.Helper()
		if err := client.HSet(context.Background(), "{holdfast:0}:stock", "gate", word).Err(); err != nil {
			t.Fatal(err)
		}
	}
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("o", "A", 1))
	p.do(t, "given", hold("sold", "A", 1))
	tooFew := invalid(reserve(`{"id": "o", "lines": []}`), "/lines")

	// The reconciler soon opens the gate again, because no entry waits and the ledger is the right one.
	refused := func(word, code string, s step) {
		t.Helper()
		await(t, s.method+" "+s.path+" to be refused", func() bool {
			gate(word)
			return p.judge(t, s.refused(503, code, ""), p.send(t, s)) == nil
		})
	}
	// It refuses reserve, and replays too: the gate is checked before conflicts and replays.
	for _, s := range []step{hold("new", "A", 1), hold("o", "A", 1), hold("o", "A", 2), hold("new", "none", 1)} {
		refused("backlog", "backlog_full", s)
	}
	p.do(t, "when", tooFew) // an invalid request is refused before the gate is checked
	refused("backlog", "backlog_full", get("/readyz"))
	gate("backlog")
	p.do(t, "when", transition("confirm", "sold", ""))
	p.do(t, "when", transition("extend", "o", ""))
	p.do(t, "when", post("/v1/stock/adjustments", `{"id": "d", "sku": "A", "location": "berlin", "delta": 1}`))

	// It refuses every verb.
	for _, s := range append(calls[:len(calls):len(calls)], get("/v1/stock"), get("/readyz")) {
		refused("stopped", "rebuilding", s)
	}
	p.do(t, "when", tooFew)
	p.comesBack(t, get("/readyz"))
	p.do(t, "then", hold("fresh", "A", 1))
	p.do(t, "then", get("/readyz"))
}

// Two programs on one Redis act as one: each knows at once what the other has answered, new locations too.
func TestTwoProgramsOnOneRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	one, two := startOn(t, redis), startOn(t, redis)
	one.do(t, "given", level("A", "berlin", 2))
	two.do(t, "then", stocked("A", "berlin", [6]int{2, 0, 0, 0, 0, 2}))
	two.do(t, "then", hold("o", "A", 2))
	one.do(t, "then", hold("o", "A", 2).is(200, "").replayed())
	one.do(t, "then", hold("p", "A", 1).refused(409, "insufficient_stock", `"shortages": [{"line": "1", "sku": "A", "requested": 1, "available": 0}]`))
	for i, at := range []string{"lyon", "aachen", "milan"} {
		one.do(t, "given", level("A", at, 1))
		id := fmt.Sprint("at-", i)
		two.do(t, "then", hold(id, "A", 1).is(201, reservation(id, "held", 1, line("1", "A", 1, 1, 0, at), "")))
	}
	// Another prefix means another stock, with a ledger of its own.
	three := startOn(t, redis, "--redis-prefix=other", "--postgres-url="+ledger(t))
	three.do(t, "then", get("/v1/stock").is(200, `{"levels": [], "position": "<text>"}`))
}
