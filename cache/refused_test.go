package cache

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
)

// refusals are settings by which a Redis answers and takes no new holds, with the code it gives, and
// the settings that end it.
var refusals = []struct {
	code      string
	set, back [][]any
}{
	{"OOM", [][]any{{"config", "set", "maxmemory", "1mb"}}, [][]any{{"config", "set", "maxmemory", "0"}}},
	{"NOREPLICAS", [][]any{{"config", "set", "min-replicas-to-write", "1"}}, [][]any{{"config", "set", "min-replicas-to-write", "0"}}},
	{"READONLY", [][]any{{"replicaof", "127.0.0.1", "1"}}, [][]any{{"replicaof", "no", "one"}}},
	{"NOPERM", [][]any{{"acl", "setuser", "default", "-evalsha"}}, [][]any{{"acl", "setuser", "default", "+evalsha"}}},
	{"NOPERM", [][]any{{"acl", "setuser", "default", "resetkeys", "~other:*"}}, [][]any{{"acl", "setuser", "default", "~*"}}},
}

// TestRefused makes Redis refuse new holds. Reserve and Ready say that nothing was changed and why.
// Then Redis takes them again.
func TestRefused(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t)
	do := func(commands [][]any) {
		t.Helper()
		for _, c := range commands {
			if err := admin.Do(t.Context(), c...).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range refusals {
		t.Run(c.code, func(t *testing.T) {
			do([][]any{{"flushall"}})
			b := newBench(t, server.Client(t), Options{Timeout: time.Minute, Logger: quiet})
			b.stock("TEE@berlin=5")
			do(c.set)
			_, err := b.store.Reserve(b.ctx, order("ord", "1:TEE:1"))
			if !errors.Is(err, ErrRefused) || !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), c.code) {
				t.Errorf("reserve: %v", err)
			}
			if err := b.store.Ready(b.ctx); !errors.Is(err, ErrRefused) {
				t.Errorf("ready: %v", err)
			}
			do(c.back)
			eventually(t, func() error { return b.store.Ready(b.ctx) })
			eventually(t, func() error {
				_, err := b.store.Reserve(b.ctx, order("ord", "1:TEE:1"))
				return err
			})
			if n := len(b.events()); n != 2 {
				t.Errorf("%d events, want one of the count and one of the reserve", n)
			}
		})
	}
}
