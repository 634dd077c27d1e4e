package bench

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

const testCallers = 4

// newEnv starts servers and returns an env on them.
func newEnv(t *testing.T) *env {
	t.Helper()
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	return &env{redis: client, postgres: pgtest.Database(t), options: Options{
		Callers: testCallers, Connections: 2, Rounds: 1, Duration: 20 * time.Millisecond, Seed: 1,
		Scenarios: Keys(Scenarios), Contenders: Keys(Contenders()), Logger: slog.New(slog.DiscardHandler),
	}}
}

// claimed claims both servers until the test ends.
func (e *env) claimed(t *testing.T) *env {
	t.Helper()
	release, err := e.claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := release(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// opened opens a contender for a workload.
func (e *env) opened(t *testing.T, c *contender, w *workload) seller {
	t.Helper()
	if err := e.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	by, err := c.open(t.Context(), e, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := by.close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return by
}

// sell makes calls and returns what was counted.
func sell(t *testing.T, from *orders, calls int64, do func(context.Context, int, *order) (outcome, error)) *tally {
	t.Helper()
	counted, _ := load{callers: testCallers, duration: time.Minute, calls: calls}.run(t.Context(), from.each(testCallers, do))
	if counted.failure != nil {
		t.Fatal(counted.failure)
	}
	return counted
}

func expect(t *testing.T, what string, got *tally, want [outcomes]int64) {
	t.Helper()
	if got.count != want {
		t.Errorf("%s: got %v accepted, refused, replayed, want %v", what, got.count, want)
	}
}

func left(t *testing.T, by seller, skus []string, want int64) {
	t.Helper()
	if got, err := by.left(t.Context(), skus); err != nil || got != want {
		t.Errorf("%d units are left, want %d: %v", got, want, err)
	}
}

// TestSellers checks that every contender sells exactly what there is, whole carts, and each id
// once if it has ids.
func TestSellers(t *testing.T) {
	t.Parallel()
	e := newEnv(t).claimed(t)
	for i := range contenders {
		c := &contenders[i]
		t.Run(c.key, func(t *testing.T) {
			by := e.opened(t, c, &workload{})
			skus := skuNames(5)
			one, cart, again := skus[:1], skus[1:4], skus[4:]
			for sku, units := range map[string]int64{skus[0]: 20, skus[1]: 9, skus[2]: 7, skus[3]: 8, skus[4]: 50} {
				if err := by.stock(t.Context(), []string{sku}, units); err != nil {
					t.Fatal(err)
				}
			}
			from := &orders{prefix: "one-", skus: one, lines: 1, copies: 1}
			expect(t, "sold out", sell(t, from, 60, by.reserve), [outcomes]int64{20, 40})
			left(t, by, one, 0)
			from = &orders{prefix: "cart-", skus: cart, lines: 3, copies: 1}
			expect(t, "carts", sell(t, from, 10, by.reserve), [outcomes]int64{7, 3})
			left(t, by, cart, 9+7+8-3*7)
			want := [outcomes]int64{10, 0, 20}
			if slices.Contains([]string{keyTutorial, keyUpdate, keyFloor}, c.key) {
				want = [outcomes]int64{30}
			}
			from = &orders{prefix: "again-", skus: again, lines: 1, copies: 3}
			expect(t, "repeats", sell(t, from, 30, by.reserve), want)
			left(t, by, again, 50-want[accepted])
			if err := by.trim(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSellers_SoldOutCache checks that Holdfast caches refusals if the run asks for it, and sells
// the same.
func TestSellers_SoldOutCache(t *testing.T) {
	t.Parallel()
	e := newEnv(t).claimed(t)
	e.options.SoldOut = time.Second
	for _, open := range []func(context.Context, *env, *workload) (seller, error){openLibrary, openOverHTTP} {
		by := e.opened(t, &contender{open: open}, &workload{})
		var store *cache.Store
		switch by := by.(type) {
		case *library:
			store = by.store
		case *overHTTP:
			store = by.library.store
		}
		if _, asked := store.Stats().Queued[cache.VerbProbe]; !asked {
			t.Errorf("%T has no sold-out cache", by)
		}
		skus := skuNames(1)
		if err := by.stock(t.Context(), skus, 20); err != nil {
			t.Fatal(err)
		}
		expect(t, "sold out", sell(t, &orders{prefix: "one-", skus: skus, lines: 1, copies: 1}, 60, by.reserve), [outcomes]int64{20, 40})
		left(t, by, skus, 0)
	}
	if text := newReport(e).SoldOutCache(); text != " with sold_out_cache 1,000 ms" {
		t.Errorf("the report says %q", text)
	}
}

// TestConfirms checks the holds and confirms of every contender that has them.
func TestConfirms(t *testing.T) {
	t.Parallel()
	e := newEnv(t).claimed(t)
	for i := range contenders {
		c := &contenders[i]
		if c.key == keyLibrary || c.key == keyHTTP {
			continue // TestRun and TestFloorAnswersTheSame cover them: each starts a ledger
		}
		t.Run(c.key, func(t *testing.T) {
			by := e.opened(t, c, &workload{confirms: true})
			skus := skuNames(1)
			if err := by.stock(t.Context(), skus, 50); err != nil {
				t.Fatal(err)
			}
			from := &orders{prefix: "o-", skus: skus, lines: 1, copies: 1}
			if maker, ok := by.(bulkHolder); ok {
				if err := maker.holdMany(t.Context(), from, 30); err != nil {
					t.Fatal(err)
				}
				left(t, by, skus, 20)
			}
			sale, ok := by.(confirmer)
			if ok != c.twoCalls {
				t.Fatalf("it has a confirm: %v", ok)
			}
			if ok {
				expect(t, "confirmed", sell(t, from, 30, sale.confirm), [outcomes]int64{30})
				left(t, by, skus, 20)
			}
		})
	}
}

// TestFloorAnswersTheSame compares every byte except times.
func TestFloorAnswersTheSame(t *testing.T) {
	t.Parallel()
	e := newEnv(t).claimed(t)
	times := regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	skus := skuNames(2)
	answers := map[string][]string{}
	for i := range contenders {
		c := &contenders[i]
		if c.key != keyHTTP && c.key != keyFloor {
			continue
		}
		var calls *httpServer
		switch by := e.opened(t, c, &workload{confirms: true}).(type) {
		case *overHTTP:
			calls = by.server
			_ = by.stock(t.Context(), skus, 1)
		case *floor:
			calls = by.httpServer
			_ = by.stock(t.Context(), skus, 1)
		}
		for _, call := range [][2]string{
			{"", `{"id":"a","order":"a","lines":[{"line":"1","sku":"SKU-0000000","quantity":1}]}`},
			{"", `{"id":"b","order":"b","lines":[{"line":"1","sku":"SKU-0000001","quantity":2}]}`},
			{"/a/confirm", ""},
		} {
			response, body, err := calls.post(t.Context(), 0, "/v1/reservations"+call[0], []byte(call[1]))
			if err != nil {
				t.Fatal(err)
			}
			var head bytes.Buffer
			header := response.Header.Clone()
			header.Del("Date")
			header.Del("X-Request-Id") // the server makes one for each request
			_ = header.Write(&head)
			text := http.StatusText(response.StatusCode) + "\n" + head.String() + "\n" + string(body)
			answers[c.key] = append(answers[c.key], times.ReplaceAllString(text, "TIME"))
		}
	}
	for i, want := range answers[keyHTTP] {
		if got := answers[keyFloor][i]; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	if len(answers[keyHTTP]) != 3 {
		t.Errorf("%d calls were compared", len(answers[keyHTTP]))
	}
}
