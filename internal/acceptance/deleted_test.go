package acceptance

import (
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
)

// A key of Holdfast that was deleted by hand, or has another type: calls are answered as before, or 503 until
// Redis is rebuilt from the ledger by itself. Nothing that was answered is lost.
func TestKeyDeletedByHand(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"stock", "levels", "reservations", "operations", "deadlines", "limits", "events"} {
		for _, how := range []string{"deleted", "a string", "deleted and written to since"} {
			t.Run(key+" "+how, func(t *testing.T) {
				t.Parallel()
				redis := redistest.Start(t)
				p := startOn(t, redis)
				p.do(t, "given", level("A", "berlin", 9))
				p.do(t, "given", hold("o", "A", 1))
				p.do(t, "given", hold("sold", "A", 2))
				p.do(t, "given", transition("confirm", "sold", ""))
				admin, name := redis.Client(t), "{holdfast:0}:"+key
				epoch := func() string { return admin.HGet(t.Context(), "{holdfast:0}:stock", "epoch").Val() }
				await(t, "the keys to be sealed", func() bool { return admin.HExists(t.Context(), "{holdfast:0}:stock", "sealed").Val() })
				if err := admin.Del(t.Context(), name).Err(); err != nil {
					t.Fatal(err)
				}
				if how == "a string" {
					if err := admin.Set(t.Context(), name, "text", 0).Err(); err != nil {
						t.Fatal(err)
					}
				}
				if how == "deleted and written to since" {
					_ = p.send(t, hold("since", "A", 1))
				}
				for range 3 {
					for _, s := range []step{transition("confirm", "o", ""), level("A", "lyon", 3), hold("new", "A", 1), get("/v1/stock/A"), read("sold")} {
						if got := p.send(t, s); got.status == 500 {
							t.Errorf("%s %s: %d %s", s.method, s.path, got.status, got.body)
						}
					}
				}
				await(t, "a rebuild", func() bool { return epoch() == "2" })
				p.comesBack(t, get("/readyz"))
				p.do(t, "then", transition("confirm", "o", "").is(200, ""))
				p.do(t, "then", read("sold").is(200, reservation("sold", "confirmed", 2, line("1", "A", 2, 2, 0, "berlin"), "")))
			})
		}
	}
}
