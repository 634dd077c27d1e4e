package shard

import (
	"errors"
	"maps"
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
)

// stored returns every field of the stock.
func stored(t *testing.T, c *Conn) map[string]string {
	t.Helper()
	fields, err := c.conn.HGetAll(t.Context(), c.keys.Stock).Result()
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// TestAdopt adopts a Redis whose last entry is the ledger's. Everything else must be refused, and must
// change nothing.
func TestAdopt(t *testing.T) {
	for name, edit := range map[string]func(t *testing.T, c *Conn, applied *wire.Position){
		"as it must be": nil,
		"gate open":     func(t *testing.T, c *Conn, _ *wire.Position) { c.conn.HDel(t.Context(), c.keys.Stock, wire.FieldGate) },
		"gate stopped":  func(t *testing.T, c *Conn, _ *wire.Position) { _ = c.CloseGate(t.Context(), true) },
		"unfinished": func(t *testing.T, c *Conn, _ *wire.Position) {
			c.conn.HSet(t.Context(), c.keys.Stock, wire.FieldUnfinished, 1)
		},
		"another epoch": func(t *testing.T, c *Conn, _ *wire.Position) {
			c.conn.HSet(t.Context(), c.keys.Stock, wire.FieldEpoch, 7)
		},
		"no epoch": func(t *testing.T, c *Conn, _ *wire.Position) { c.conn.HDel(t.Context(), c.keys.Stock, wire.FieldEpoch) },
		"an unapplied entry": func(t *testing.T, c *Conn, _ *wire.Position) {
			c.conn.Do(t.Context(), "xadd", c.keys.Events, "1-2", "n", "x")
		},
		"the last entry lacks": func(_ *testing.T, _ *Conn, applied *wire.Position) { applied.Sequence++ },
		"no entries":           func(t *testing.T, c *Conn, _ *wire.Position) { c.conn.Del(t.Context(), c.keys.Events) },
	} {
		t.Run(name, func(t *testing.T) {
			redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
				chunk, _ := tee("a", wire.StateHeld, 1, deadline)
				c := rebuilt(t, e, chunk)
				id, err := c.Inspect(t.Context())
				if err = errors.Join(err, c.CloseGate(t.Context(), false), c.Load(t.Context(), 2, id)); err != nil {
					t.Fatal(err)
				}
				applied := wire.Position{Epoch: 1, Sequence: 1}
				if edit != nil {
					edit(t, c, &applied)
				}
				want := stored(t, c)
				err = c.Adopt(t.Context(), applied, "adopted", deadline)
				if edit != nil {
					if got := stored(t, c); !errors.Is(err, ErrFenced) || !maps.Equal(got, want) {
						t.Errorf("%v, the stock is %q, was %q", err, got, want)
					}
					return
				}
				want[wire.FieldEpoch], want[wire.FieldGraceUntil] = "2", "1700000000000"
				delete(want, wire.FieldGate)
				if got := stored(t, c); err != nil || !maps.Equal(got, want) {
					t.Errorf("%v, the stock is %q, want %q", err, got, want)
				}
				first, err := c.LastApplied(t.Context(), wire.Position{Epoch: 2, Sequence: 1, Nonce: "adopted"})
				if !first || err != nil {
					t.Errorf("the first entry of the epoch is there: %t, %v", first, err)
				}
				if err := c.Adopt(t.Context(), applied, "again", deadline); !errors.Is(err, ErrFenced) {
					t.Errorf("adopted again: %v", err)
				}
			})
		})
	}
}

// TestAdopt_Unfinished checks that what a rebuild has loaded is not adopted until the rebuild is done.
func TestAdopt_Unfinished(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		c := rebuilt(t, e)
		id, err := c.Inspect(t.Context())
		if err != nil || id.unfinished {
			t.Fatalf("%+v, %v: a rebuild that is done is unfinished", id, err)
		}
		err = errors.Join(c.Load(t.Context(), 2, id), c.Begin(t.Context(), "begun", "ledger"))
		chunk, _ := tee("a", wire.StateHeld, 1, deadline)
		if err = errors.Join(err, c.LoadChunk(t.Context(), chunk), c.Load(t.Context(), 3, id)); err != nil {
			t.Fatal(err)
		}
		err = c.Adopt(t.Context(), wire.Position{Epoch: 2, Sequence: 1}, "adopted", deadline)
		if now, failed := c.Inspect(t.Context()); !errors.Is(err, ErrFenced) || failed != nil || !now.unfinished {
			t.Errorf("%v; %+v, %v", err, now, failed)
		}
	})
}

// TestContinues lists which Redis may be adopted.
func TestContinues(t *testing.T) {
	p := wire.Position{Epoch: 3, RunID: "old", ReplicationID: "history"}
	promoted := Identity{RunID: "new", ReplicationID: "next", followed: "history", Primary: true, Epoch: 3}
	for name, c := range map[string]struct {
		edit func(*Identity)
		want bool
	}{
		"promoted":           {func(*Identity) {}, true},
		"gate loading":       {func(id *Identity) { id.Gate = wire.GateLoading }, true},
		"gate stopped":       {func(id *Identity) { id.Gate = wire.GateStopped }, false},
		"a replica":          {func(id *Identity) { id.Primary = false }, false},
		"another epoch":      {func(id *Identity) { id.Epoch = 2 }, false},
		"another history":    {func(id *Identity) { id.followed = "other" }, false},
		"never promoted":     {func(id *Identity) { id.followed = "" }, false},
		"unfinished rebuild": {func(id *Identity) { id.unfinished = true }, false},
	} {
		id := promoted
		c.edit(&id)
		if got := id.Continues(p); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if none := (&Identity{Primary: true}); none.Continues(wire.Position{}) {
		t.Error("a Redis without a history continues a ledger without one")
	}
}

// TestHousekeep_Grace checks that no deadline takes effect before grace_until, and that housekeeping goes on
// afterwards.
func TestHousekeep_Grace(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		c := rebuilt(t, e)
		id, err := c.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		later := Housekeeping{ExpireUntil: deadline + 5, BacklogMax: 10}
		for _, step := range []struct {
			grace       int64
			expireUntil string
			left        bool
		}{{id.Now + 3_600_000, "1700000000000", true}, {id.Now - 1, "1700000000005", false}} {
			if err := c.conn.HSet(t.Context(), c.keys.Stock, wire.FieldGraceUntil, step.grace).Err(); err != nil {
				t.Fatal(err)
			}
			_, _, err := c.Housekeep(t.Context(), later)
			got := stored(t, c)
			if _, left := got[wire.FieldGraceUntil]; err != nil || got[wire.FieldExpireUntil] != step.expireUntil || left != step.left {
				t.Errorf("grace until %d: %v, %q", step.grace, err, got)
			}
		}
	})
}

// TestHousekeep_EarlierEpoch trims the entries of the epoch before an adoption, a bounded number in a call.
func TestHousekeep_EarlierEpoch(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		c := rebuilt(t, e)
		const last = 25_000 // more than one call trims
		pipe := c.conn.Pipeline()
		for n := 2; n <= last; n++ {
			pipe.Do(t.Context(), "xadd", c.keys.Events, wire.Position{Epoch: 1, Sequence: uint64(n)}.EntryID(), "n", "n")
		}
		_, err := pipe.Exec(t.Context())
		id, failed := c.Inspect(t.Context())
		applied := wire.Position{Epoch: 1, Sequence: last}
		err = errors.Join(err, failed, c.CloseGate(t.Context(), false), c.Load(t.Context(), 2, id), c.Adopt(t.Context(), applied, "adopted", 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int64{last + 1 - 20_000, 1} {
			_, entries, err := c.Housekeep(t.Context(), Housekeeping{Applied: wire.Position{Epoch: 2, Sequence: 1}, BacklogMax: 10 * last})
			if entries != want || err != nil {
				t.Errorf("%d entries are left, %v: want %d", entries, err, want)
			}
		}
	})
}
