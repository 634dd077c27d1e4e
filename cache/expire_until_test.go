package cache

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
)

// TestExpireUntil jumps an hour ahead while the ledger can't be reached, so that the reconciler does not
// move the moment up to which deadlines take effect. A hold whose deadline is later keeps its units, and
// its confirm is a sale. A hold whose deadline came before that moment may be lost.
func TestExpireUntil(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("TEE@berlin=2")
		short := order("short", "1:TEE:1")
		short.TTL = time.Second
		reserve(short)(b)
		reserve(order("long", "1:TEE:1"))(b)
		if err := b.client.HSet(b.ctx, b.store.keys.Stock, wire.FieldExpireUntil, b.now+3000).Err(); err != nil {
			t.Fatal(err)
		}
		b.now += time.Hour.Milliseconds()
		for _, call := range []struct {
			name string
			do   func() error
			want error
		}{
			{"the units of the short hold", func() error { _, err := b.store.Reserve(b.ctx, order("other", "1:TEE:1")); return err }, nil},
			{"the units of the long hold", func() error { _, err := b.store.Reserve(b.ctx, order("another", "1:TEE:1")); return err }, ErrInsufficient},
			{"a transfer of them", func() error {
				_, err := b.store.Transfer(b.ctx, TransferRequest{ID: "t", SKU: "TEE", From: "berlin", To: "lyon", Quantity: 1})
				return err
			}, ErrInsufficient},
			{"the confirm of the short hold", func() error { _, err := b.store.Confirm(b.ctx, TransitionRequest{ID: "short"}); return err }, ErrInsufficient},
			{"the confirm of the long hold", func() error { _, err := b.store.Confirm(b.ctx, TransitionRequest{ID: "long"}); return err }, nil},
		} {
			if err := call.do(); !errors.Is(err, call.want) {
				t.Errorf("%s: %v, want %v", call.name, err, call.want)
			}
		}
		b.invariants()
	})
}
