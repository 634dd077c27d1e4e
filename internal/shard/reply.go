package shard

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// exec sends the commands of a pipeline or a transaction, and checks every reply: there is one, it
// has the type of its command, and a list has a value for each that was asked. So a caller may read
// the replies by position. Only the reply to a command that reads one text may be missing.
func exec(ctx context.Context, pipe redis.Pipeliner) error {
	commands, err := pipe.Exec(ctx)
	return checkReplies(err, commands...)
}

// checkReplies checks the replies to commands as exec does. failed is the error of the pipeline.
func checkReplies(failed error, commands ...redis.Cmder) error {
	for _, c := range commands {
		_, text := c.(*redis.StringCmd)
		if err := c.Err(); err != nil && !(text && errors.Is(err, redis.Nil)) {
			return replyError(err)
		}
	}
	if failed != nil && !errors.Is(failed, redis.Nil) { // the connection was refused: no command has an error, nor a reply
		return replyError(failed)
	}
	for _, c := range commands {
		values := -1
		switch c := c.(type) {
		case *redis.SliceCmd: // HMGET key field …
			values = len(c.Val())
		case *redis.FloatSliceCmd: // ZMSCORE key member …
			values = len(c.Val())
		case *redis.BoolSliceCmd: // SCRIPT EXISTS sha …
			values = len(c.Val())
		}
		if asked := len(c.Args()) - 2; values >= 0 && values != asked {
			return fmt.Errorf("%w: %s answered %d values, not %d", wire.ErrCorrupt, c.Name(), values, asked)
		}
	}
	return nil
}

// replyError wraps the error of a command that is no script: in ErrUnavailable if it may pass, and in
// ErrCorrupt if the command can't be run on what Redis has.
func replyError(err error) error {
	if outcomeOf(err) == ranPartly {
		return fmt.Errorf("%w: %w", wire.ErrCorrupt, err)
	}
	return unavailable(err)
}

// texts returns the values of a script's reply, of which there must be n, all of them texts.
func texts(verb wire.Verb, reply []any, n int) ([]string, error) {
	list := make([]string, len(reply))
	for i, value := range reply {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%w: %s answered a value that is not text", wire.ErrCorrupt, verb)
		}
		list[i] = text
	}
	if len(list) != n {
		return nil, fmt.Errorf("%w: %s answered %d values, not %d", wire.ErrCorrupt, verb, len(list), n)
	}
	return list, nil
}

// number reads a whole number of a script's reply.
func number(verb wire.Verb, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %s answered %q, not a number", wire.ErrCorrupt, verb, text)
	}
	return n, nil
}
