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

// newRig makes a rig on servers of its own.
func newRig(t *testing.T) *rig {
	t.Helper()
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	return &rig{redis: client, postgres: pgtest.Database(t), options: Options{
		Callers: testCallers, Connections: 2, Rounds: 1, Duration: 20 * time.Millisecond, Seed: 1,
		Scenarios: ScenarioKeys(), Contenders: ContenderKeys(), Logger: slog.New(slog.DiscardHandler),
	}}
}

// claimed claims both servers until the test ends.
func (r *rig) claimed(t *testing.T) *rig {
	t.Helper()
	release, err := r.claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := release(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// opened makes a contender ready for orders of a scene.
func (r *rig) opened(t *testing.T, c *contender, s *scene) seller {
	t.Helper()
	if err := r.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	by, err := c.open(t.Context(), r, s)
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

// sell has callers make so many calls, and counts.
func sell(t *testing.T, from *orders, calls int64, do func(context.Context, int, *order) (outcome, error)) *tally {
	t.Helper()
	mine := make([]order, testCallers)
	one := func(ctx context.Context, caller int, i int64) (outcome, error) {
		from.fill(&mine[caller], i)
		return do(ctx, caller, &mine[caller])
	}
	counted, _ := load{callers: testCallers, duration: time.Minute, calls: calls}.run(t.Context(), one)
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

// TestSellers has every contender sell exactly what there is, carts whole, and each id once where it
// knows ids.
func TestSellers(t *testing.T) {
	t.Parallel()
	r := newRig(t).claimed(t)
	for i := range contenders {
		c := &contenders[i]
		t.Run(c.key, func(t *testing.T) {
			by := r.opened(t, c, &scene{})
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

// TestSellers_SoldOutCache has Holdfast remember refusals where the run says so, and sell the same.
func TestSellers_SoldOutCache(t *testing.T) {
	t.Parallel()
	r := newRig(t).claimed(t)
	r.options.SoldOut = time.Second
	for _, open := range []func(context.Context, *rig, *scene) (seller, error){openLibrary, openOverHTTP} {
		by := r.opened(t, &contender{open: open}, &scene{})
		var store *cache.Store
		switch by := by.(type) {
		case *library:
			store = by.store
		case *overHTTP:
			store = by.library.store
		}
		if _, asked := store.Stats().Queued[cache.VerbProbe]; !asked {
			t.Errorf("%T remembers nothing", by)
		}
		skus := skuNames(1)
		if err := by.stock(t.Context(), skus, 20); err != nil {
			t.Fatal(err)
		}
		expect(t, "sold out", sell(t, &orders{prefix: "one-", skus: skus, lines: 1, copies: 1}, 60, by.reserve), [outcomes]int64{20, 40})
		left(t, by, skus, 0)
	}
	if text := newReport(r).Remembers(); text != " with sold_out_cache 1,000 ms" {
		t.Errorf("the report says %q", text)
	}
}

// TestConfirms has those that hold make reservations, and then sales of them.
func TestConfirms(t *testing.T) {
	t.Parallel()
	r := newRig(t).claimed(t)
	for i := range contenders {
		c := &contenders[i]
		if c.key == keyLibrary || c.key == keyHTTP {
			continue // TestRun and TestFloorAnswersTheSame have them: each begins a ledger
		}
		t.Run(c.key, func(t *testing.T) {
			by := r.opened(t, c, &scene{confirms: true})
			skus := skuNames(1)
			if err := by.stock(t.Context(), skus, 50); err != nil {
				t.Fatal(err)
			}
			from := &orders{prefix: "o-", skus: skus, lines: 1, copies: 1}
			if maker, ok := by.(holder); ok {
				if err := maker.hold(t.Context(), from, 30); err != nil {
					t.Fatal(err)
				}
				left(t, by, skus, 20)
			}
			sale, ok := by.(confirmer)
			if ok != c.holds {
				t.Fatalf("it has a confirm: %v", ok)
			}
			if ok {
				expect(t, "confirmed", sell(t, from, 30, sale.confirm), [outcomes]int64{30})
				left(t, by, skus, 20)
			}
		})
	}
}

// TestFloorAnswersTheSame compares every byte but the times.
func TestFloorAnswersTheSame(t *testing.T) {
	t.Parallel()
	r := newRig(t).claimed(t)
	times := regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	skus := skuNames(2)
	answers := map[string][]string{}
	for i := range contenders {
		c := &contenders[i]
		if c.key != keyHTTP && c.key != keyFloor {
			continue
		}
		var calls *wire
		switch by := r.opened(t, c, &scene{confirms: true}).(type) {
		case *overHTTP:
			calls = by.server.wire
			_ = by.stock(t.Context(), skus, 1)
		case *floor:
			calls = by.server.wire
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
