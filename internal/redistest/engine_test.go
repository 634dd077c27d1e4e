package redistest

import (
	"slices"
	"testing"
)

func TestEachEngine(t *testing.T) {
	var names []string
	addrs := map[string]bool{}
	EachEngine(t, func(t *testing.T, e Engine) {
		names, addrs[e.Addr] = append(names, e.Name), true
		if e.Real != (e.Name != "miniredis") {
			t.Errorf("Real = %v", e.Real)
		}
		script := "return redis.call('INCRBY', KEYS[1], ARGV[1])"
		for _, key := range []string{"a", "b", "{c}:d"} {
			got, err := e.Client.Eval(t.Context(), script, []string{key}, 7).Int()
			if got != 7 || err != nil {
				t.Errorf("script on %s = %d, %v; want 7", key, got, err)
			}
		}
	})
	want := []string{"miniredis", "redis", "cluster"}
	if testing.Short() {
		want = want[1:2]
	}
	if !slices.Equal(names, want) || len(addrs) != len(want) {
		t.Errorf("engines %v at %v", names, addrs)
	}
}

func TestEachEngine_FlushedBefore(t *testing.T) {
	for range 2 {
		EachEngine(t, func(t *testing.T, e Engine) {
			if got, err := e.Client.Incr(t.Context(), "count").Result(); got != 1 || err != nil {
				t.Errorf("count = %d, %v; want 1", got, err)
			}
			sha, err := e.Client.ScriptLoad(t.Context(), "return 1").Result()
			if err != nil {
				t.Fatal(err)
			}
			e.Flush(t)
			if n, err := e.Client.Exists(t.Context(), "count").Result(); n != 0 || err != nil {
				t.Errorf("after Flush: %d keys, %v", n, err)
			}
			if err := e.Client.EvalSha(t.Context(), sha, []string{"count"}).Err(); err != nil {
				t.Errorf("after Flush, a loaded script: %v", err)
			}
			if err := e.Client.Incr(t.Context(), "count").Err(); err != nil { // for the next round
				t.Error(err)
			}
		})
	}
}
