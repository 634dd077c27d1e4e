package shard

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// Read runs commands as Look does, but ignores a full backlog, which only refuses reserve.
func (s *Shard) Read(ctx context.Context, commands func(redis.Pipeliner)) error {
	if err := s.Look(ctx, commands); !errors.Is(err, wire.ErrBacklogFull) {
		return err
	}
	return nil
}

// Look runs commands that read, one after another, on the primary. It returns ErrRebuilding if
// Redis has lost its data, is not the ledger's Redis, or is being loaded. It returns ErrBacklogFull
// if reserve is refused; the commands have run then. A missing key is not an error. If Redis is at
// another epoch, Look checks once more which Redis it is. It uses no MULTI, which Redis refuses if
// memory is out. One round trip.
func (s *Shard) Look(ctx context.Context, commands func(redis.Pipeliner)) error {
	err := s.look(ctx, commands)
	s.logRefusal("read", err)
	return err
}

func (s *Shard) look(ctx context.Context, commands func(redis.Pipeliner)) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	g, err := s.current(ctx)
	for range 2 {
		if err != nil {
			return err
		}
		var gate []any
		if gate, err = s.pipeline(ctx, commands); errors.Is(err, wire.ErrCorrupt) {
			return s.damaged(ctx, err)
		}
		if err != nil {
			return err
		}
		if epoch, _ := gate[0].(string); epoch == strconv.FormatUint(g.epoch, 10) {
			return gateError(gate[1])
		}
		g, err = s.reload(ctx, g)
	}
	return fmt.Errorf("%w: the epoch of Redis is changing", wire.ErrRebuilding)
}

// pipeline runs commands and returns the stored epoch and gate, which it reads before them.
func (s *Shard) pipeline(ctx context.Context, commands func(redis.Pipeliner)) (stored []any, err error) {
	defer wire.Recovered(&err)
	node, err := s.Node(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	pipe := node.Pipeline()
	gate := pipe.HMGet(ctx, s.Keys.Stock, wire.FieldEpoch, wire.FieldGate)
	commands(pipe)
	if err := exec(ctx, pipe); err != nil {
		lookAgain(s.client, err)
		return nil, err
	}
	return gate.Val(), nil
}

// gateError returns why the stored gate refuses calls, or nil.
func gateError(gate any) error {
	switch gate {
	case nil, wire.GateOpen:
		return nil
	case wire.GateBacklog:
		return wire.ErrBacklogFull
	default:
		return wire.ErrRebuilding
	}
}
