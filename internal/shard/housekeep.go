package shard

import (
	"context"
	"fmt"
	"strconv"

	"github.com/holdfast/holdfast/internal/wire"
)

// CloseGate closes the gate: nothing is served until a rebuild opens it. stopped keeps it closed until an
// operator decides. It holds whatever epoch Redis is at. One round trip.
func (c *Conn) CloseGate(ctx context.Context, stopped bool) error {
	gate := wire.GateLoading
	if stopped {
		gate = wire.GateStopped
	}
	return unavailable(c.conn.HSet(ctx, c.keys.Stock, wire.FieldGate, gate).Err())
}

// Tending is what a tend does.
type Tending struct {
	ExpireUntil int64         // Unix ms: holds may expire until then; 0 leaves it as it is
	Applied     wire.Position // the stream is trimmed behind it; its zero value trims nothing
	BacklogMax  int64         // entries from which reserve is refused, until half of them are left
}

// Tend does what must be done every moment. It returns whether the backlog has closed the gate for
// reserve, and how many entries there are. One round trip.
func (c *Conn) Tend(ctx context.Context, t Tending) (backlog bool, entries int64, err error) {
	until, position := "", ""
	if t.ExpireUntil > 0 {
		until = strconv.FormatInt(t.ExpireUntil, 10)
	}
	if t.Applied.Epoch > 0 {
		position = t.Applied.EntryID()
	}
	k := c.keys
	reply, err := c.run(ctx, "housekeep", []string{k.Stock, k.Events}, until, position, t.BacklogMax)
	if err != nil {
		return false, 0, err
	}
	if len(reply) != 3 {
		return false, 0, fmt.Errorf("housekeep: %w", wire.ErrCorrupt)
	}
	entries, err = strconv.ParseInt(fmt.Sprint(reply[2]), 10, 64)
	return reply[1] == wire.GateBacklog, entries, err
}

// Forget drops what the ledger has and Redis need no longer keep, where it is still what the ledger
// has. It is safe to repeat. One round trip.
func (c *Conn) Forget(ctx context.Context, f wire.Forgettable) error {
	args := []any{len(f.Reservations), len(f.Operations)}
	for _, list := range [][]wire.Step{f.Reservations, f.Operations} {
		for _, step := range list {
			args = append(args, step.ID)
		}
	}
	for _, step := range f.Reservations {
		args = append(args, step.Birth, step.Version)
	}
	for _, step := range f.Operations {
		args = append(args, step.Birth)
	}
	k := c.keys
	_, err := c.run(ctx, "forget", []string{k.Stock, k.Reservations, k.Operations}, args...)
	return err
}
