package shard

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast/holdfast/internal/wire"
)

// Undoing is a refused step of a reservation, and the ledger's record that the reservation goes
// back to. Target is nil if the ledger has no record with the creation nonce of the step.
type Undoing struct {
	Step   wire.Step
	Target *wire.Record

	// Unwatched keeps the deadline of a reservation that is held again out of the deadlines,
	// because the ledger would refuse to let it expire.
	Unwatched bool

	Operation wire.Step         // the operation of the step; zero if it has none
	Levels    []wire.LevelDelta // return, unfulfill: what it has added to on hand, beyond the change of the record
}

// Compensate undoes refused steps of reservations. It returns the steps that no longer need
// undoing. Its error wraps ErrCorrupt and names the steps whose levels are broken; the others are
// undone. It is safe to repeat. One round trip, or more if the reservations are large.
func (c *Conn) Compensate(ctx context.Context, list []Undoing) (gone []wire.Step, err error) {
	var broken error
	for len(list) > 0 {
		n, some, err := c.compensate(ctx, list)
		gone = append(gone, some...)
		if errors.Is(err, wire.ErrCorrupt) && n > 0 {
			broken, err = errors.Join(broken, err), nil
		}
		if err != nil {
			return gone, err
		}
		list = list[n:]
	}
	return gone, broken
}

// compensate undoes the first n of some steps: as many as one call takes.
func (c *Conn) compensate(ctx context.Context, list []Undoing) (n int, gone []wire.Step, err error) {
	args, rest := []any{"", nonce(), len(list)}, []any{}
	steps := make([]wire.Step, len(list))
	for i, u := range list {
		target := ""
		if u.Target != nil {
			target = u.Target.Encode()
		}
		steps[i] = u.Step
		args = append(args, u.Step.ID)
		rest = append(rest, u.Step.CreationNonce, u.Step.Version, target, AsFlag(u.Unwatched), u.Operation.ID, u.Operation.CreationNonce, len(u.Levels))
		for _, d := range u.Levels {
			rest = append(rest, wire.LevelField(d.SKU, d.Location), d.OnHand)
		}
	}
	reply, err := c.run(ctx, wire.VerbCompensate, 5, append(args, rest...)...)
	if err != nil {
		return 0, nil, err
	}
	n = min((len(reply)-3)/2, len(list))
	gone, err = goneOf(reply, steps[:n], nil)
	return n, gone, err
}

// Reverting is a refused operation, and what it has added to levels.
type Reverting struct {
	Step   wire.Step
	Levels []wire.LevelDelta
}

// Revert undoes refused operations. It returns the steps that no longer need undoing. Its errors
// are those of Compensate. It is safe to repeat. One round trip.
func (c *Conn) Revert(ctx context.Context, list []Reverting) (gone []wire.Step, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	args, rest := []any{"", nonce(), len(list)}, []any{}
	steps := make([]wire.Step, len(list))
	for i, r := range list {
		steps[i] = r.Step
		args = append(args, r.Step.ID)
		rest = append(rest, r.Step.CreationNonce, len(r.Levels))
		for _, d := range r.Levels {
			rest = append(rest, wire.LevelField(d.SKU, d.Location), d.OnHand, d.SafetyStock, d.BackorderLimit, AsFlag(d.Removed))
		}
	}
	reply, err := c.run(ctx, wire.VerbRevert, 3+2*len(list), append(args, rest...)...)
	return goneOf(reply, steps, err)
}

// AsFlag returns yes as a script takes it: "1" or "".
func AsFlag(yes bool) string {
	if yes {
		return "1"
	}
	return ""
}

// goneOf returns the steps answered "gone", and an error that names those answered "corrupt".
func goneOf(reply []string, steps []wire.Step, err error) ([]wire.Step, error) {
	if err != nil {
		return nil, err
	}
	var gone []wire.Step
	var broken []error
	for i, step := range steps {
		switch reply[3+2*i] {
		case wire.StatusGone:
			gone = append(gone, step)
		case wire.StatusCorrupt:
			broken = append(broken, fmt.Errorf("%q can't be undone: %q is missing or broken: %w", step.ID, reply[4+2*i], wire.ErrCorrupt))
		}
	}
	return gone, errors.Join(broken...)
}
