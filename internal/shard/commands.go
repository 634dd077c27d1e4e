package shard

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// Read runs commands as look does; that only reserve is refused does not matter to them.
func (s *Shard) Read(ctx context.Context, commands func(redis.Pipeliner)) error {
	if err := s.Look(ctx, commands); !errors.Is(err, wire.ErrBacklogFull) {
		return err
	}
	return nil
}

// Look runs commands in one round trip, on the primary; Redis takes them one after another. No MULTI:
// that is refused when memory is out. A key that is not there is no error, but data that is gone, or
// another's, or being loaded, is errRebuilding: nobody is told what is not so. errBacklogFull comes
// after the commands ran. Where Redis is at another epoch, it is asked once more whose data it has.
func (s *Shard) Look(ctx context.Context, commands func(redis.Pipeliner)) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	g, err := s.current(ctx)
	for range 2 {
		if err != nil {
			return err
		}
		var gate []any
		if gate, err = s.pipeline(ctx, commands); err != nil {
			return err
		}
		if epoch, _ := gate[0].(string); epoch == strconv.FormatUint(g.epoch, 10) {
			return gateError(gate[1])
		}
		g, err = s.reload(ctx, g)
	}
	return fmt.Errorf("%w: Redis changes its epoch", wire.ErrRebuilding)
}

// pipeline runs commands behind a look at the stored epoch and gate, which it returns.
func (s *Shard) pipeline(ctx context.Context, commands func(redis.Pipeliner)) ([]any, error) {
	node, err := s.Node(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
	}
	pipe := node.Pipeline()
	gate := pipe.HMGet(ctx, s.Keys.Stock, wire.FieldEpoch, wire.FieldGate)
	commands(pipe)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		if outcomeOf(err) == ranPartly {
			return nil, fmt.Errorf("%w: %w", wire.ErrCorrupt, err)
		}
		return nil, fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
	}
	return gate.Val(), nil
}

// gateError says why calls are refused, given the stored gate.
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
