package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// read runs commands as look does; that only reserve is refused does not matter to them.
func (s *hot) read(ctx context.Context, commands func(redis.Pipeliner)) error {
	if err := s.look(ctx, commands); !errors.Is(err, errBacklogFull) {
		return err
	}
	return nil
}

// look runs commands in one round trip, on the primary; Redis takes them one after another. No MULTI:
// that is refused when memory is out. A key that is not there is no error, but data that is gone, or
// another's, or being loaded, is errRebuilding: nobody is told what is not so. errBacklogFull comes
// after the commands ran. Where Redis is at another epoch, it is asked once more whose data it has.
func (s *hot) look(ctx context.Context, commands func(redis.Pipeliner)) error {
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
	return fmt.Errorf("%w: Redis changes its epoch", errRebuilding)
}

// pipeline runs commands behind a look at the stored epoch and gate, which it returns.
func (s *hot) pipeline(ctx context.Context, commands func(redis.Pipeliner)) ([]any, error) {
	node, err := s.node(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	pipe := node.Pipeline()
	gate := pipe.HMGet(ctx, s.keys.stock, fieldEpoch, fieldGate)
	commands(pipe)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		if outcomeOf(err) == ranPartly {
			return nil, fmt.Errorf("%w: %w", errCorrupt, err)
		}
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return gate.Val(), nil
}

// gateError says why calls are refused, given the stored gate.
func gateError(gate any) error {
	switch gate {
	case nil, gateOpen:
		return nil
	case gateBacklog:
		return errBacklogFull
	default:
		return errRebuilding
	}
}
