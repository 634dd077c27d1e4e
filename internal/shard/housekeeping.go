package shard

import (
	"context"
	"strconv"

	"github.com/holdfast/holdfast/internal/wire"
)

// CloseGate closes the gate: Redis serves nothing until a rebuild opens it. If stopped is true, the
// gate stays closed until an operator decides. CloseGate works at any epoch. One round trip.
func (c *Conn) CloseGate(ctx context.Context, stopped bool) error {
	gate := wire.GateLoading
	if stopped {
		gate = wire.GateStopped
	}
	return unavailable(c.conn.HSet(ctx, c.keys.Stock, wire.FieldGate, gate).Err())
}

// NoteLedger notes the id of the ledger in a Redis that has none. One round trip.
func (c *Conn) NoteLedger(ctx context.Context, id string) error {
	return unavailable(c.conn.HSetNX(ctx, c.keys.Stock, wire.FieldLedger, id).Err())
}

// Housekeeping says what Housekeep does.
type Housekeeping struct {
	ExpireUntil int64         // Unix ms: holds may expire until then; 0 changes nothing
	Applied     wire.Position // the stream is trimmed before this entry; the zero value trims nothing
	BacklogMax  int64         // with more entries reserve is refused, until half as many are left
}

// Housekeep does the regular housekeeping of a shard. It returns whether the backlog has closed the gate
// for reserve, and the number of entries in the stream. One round trip.
func (c *Conn) Housekeep(ctx context.Context, t Housekeeping) (backlog bool, entries int64, err error) {
	until, position := "", ""
	if t.ExpireUntil > 0 {
		until = strconv.FormatInt(t.ExpireUntil, 10)
	}
	if t.Applied.Epoch > 0 {
		position = t.Applied.EntryID()
	}
	reply, err := c.run(ctx, wire.VerbHousekeep, 3, until, position, t.BacklogMax)
	if err != nil {
		return false, 0, err
	}
	entries, err = number(wire.VerbHousekeep, reply[2])
	return reply[1] == wire.GateBacklog, entries, err
}

// Forget deletes reservations and operations that are in the ledger. Redis keeps those that have
// changed since. It is safe to repeat. One round trip for forgetMax of them.
func (c *Conn) Forget(ctx context.Context, f wire.Forgettable) error {
	for len(f.Reservations)+len(f.Operations) > 0 {
		n, m := min(len(f.Reservations), forgetMax), min(len(f.Operations), forgetMax)
		if err := c.forget(ctx, wire.Forgettable{Reservations: f.Reservations[:n], Operations: f.Operations[:m]}); err != nil {
			return err
		}
		f.Reservations, f.Operations = f.Reservations[n:], f.Operations[m:]
	}
	return nil
}

// forgetMax is how many reservations, and how many operations, one call forgets. It reads their records, and
// some have 60 kB.
const forgetMax = 64

func (c *Conn) forget(ctx context.Context, f wire.Forgettable) error {
	args := []any{len(f.Reservations), len(f.Operations)}
	for _, list := range [][]wire.Step{f.Reservations, f.Operations} {
		for _, step := range list {
			args = append(args, step.ID)
		}
	}
	for _, step := range f.Reservations {
		args = append(args, step.CreationNonce, step.Version)
	}
	for _, step := range f.Operations {
		args = append(args, step.CreationNonce)
	}
	_, err := c.run(ctx, wire.VerbForget, 3, args...)
	return err
}
