package shard

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

const (
	// attemptsMax is how often one batch is sent at most.
	attemptsMax = 4
	// backoff is the pause before the second attempt. The next ones are two and three times as
	// long. Each has jitter.
	backoff = 15 * time.Millisecond
)

// run sends a batch and reads its answers. Within Config.Timeout it sends the same ids again if the
// script did not run, or if that is unknown. It sends nothing again if the script may have run
// partly. It never falls back to EVAL: an unknown script is the sign of another server, or of an
// older state of this one.
func (s *Shard) run(ctx context.Context, verb wire.Verb, b *Batch) (err error) {
	defer wire.Recovered(&err)
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	b.encode(verb, s.Clock(), nonce())
	reply, how, err := s.call(ctx, verb, b.arguments, func(maybeRan bool) (left bool) {
		if !b.notAfter.IsZero() {
			b.dropExpired(verb, s.Now(), maybeRan)
		}
		return len(b.pending) > 0
	})
	if err != nil || len(b.pending) == 0 {
		return err
	}
	if err := b.decode(verb, reply); err != nil {
		return err
	}
	for _, p := range b.pending[len(b.answers):] {
		p.maybeRan = p.maybeRan || how.attempts > 1
	}
	for i := range b.answers {
		b.answers[i].Epoch = how.epoch
		if how.attempts > 1 && slices.Index(b.ids, b.ids[i]) == i { // the first request with this id
			b.answers[i].Resent = b.head[headerNonce]
		}
	}
	return nil
}

// DryRun makes the reserve script decide a request, whose id is "", without writing anything.
func (s *Shard) DryRun(ctx context.Context, r Request) (Answer, error) {
	b := newBatch(1)
	b.mode = modeDry
	b.pending = append(b.pending, &pending{request: r})
	if err := s.run(ctx, wire.VerbReserve, b); err != nil {
		return Answer{}, err
	}
	return b.answers[0], nil
}

// Expire runs the expire script, which takes no requests. It returns how many reservations the script
// expired, how many it could not expire because their levels are broken, and whether more may be due.
func (s *Shard) Expire(ctx context.Context) (expired, broken int64, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	now, nonce := s.Clock(), nonce()
	reply, _, err := s.call(ctx, wire.VerbExpire, func(args []any) []any { return append(args, now, nonce) }, nil)
	if err != nil {
		return 0, 0, false, err
	}
	list, err := texts(wire.VerbExpire, reply, 6)
	if err != nil {
		return 0, 0, false, err
	}
	expired, err1 := number(wire.VerbExpire, list[3])
	broken, err2 := number(wire.VerbExpire, list[4])
	return expired, broken, list[5] == "1", errors.Join(err1, err2)
}

// sending says how a script was sent: how often, and of which epoch it is.
type sending struct {
	attempts int
	epoch    uint64
}

// call runs the script of a verb, again if that is safe. argv appends the script's ARGV. Before each
// attempt, due drops what may not be sent any more; if nothing is left, call returns nil. due may be
// nil. call returns a reply that begins with "ok", and how the script was sent.
func (s *Shard) call(ctx context.Context, verb wire.Verb, argv func([]any) []any, due func(maybeRan bool) (left bool)) (reply []any, how sending, err error) {
	defer wire.Recovered(&err)
	maybeRan := false
	for attempt := range attemptsMax {
		if attempt > 0 {
			if Pause(ctx, time.Duration(attempt)*backoff+rand.N(backoff)) != nil {
				break
			}
		}
		var g *generation
		if g, err = s.current(ctx); err != nil {
			return nil, sending{}, err
		}
		if due != nil && !due(maybeRan) {
			return nil, sending{}, nil
		}
		reply, err = s.evalsha(ctx, verb, g, argv)
		switch outcomeOf(err) {
		case ranUnknown:
			maybeRan = true
		case ranYes:
			if word, ok := reply[0].(string); !ok || word != wire.StatusOK {
				if err = s.closed(ctx, verb, word, g); err != nil {
					return nil, sending{}, err
				}
				continue
			}
			if err = s.superseded(g); err != nil { // perhaps a primary that was cut off has answered
				maybeRan = true
				continue
			}
			return reply, sending{attempt + 1, g.epoch}, nil
		case ranFenced:
			if _, err = s.reload(ctx, g); err != nil {
				return nil, sending{}, err
			}
		case ranPartly:
			if found := s.damaged(ctx, err); errors.Is(found, wire.ErrRebuilding) {
				return nil, sending{}, found
			}
			s.config.Logger.Error("a script stopped half-way; audit this shard now", "verb", verb, "error", err)
			return nil, sending{}, fmt.Errorf("%w: %s: %w", wire.ErrCorrupt, verb, err)
		}
	}
	if maybeRan {
		return nil, sending{}, fmt.Errorf("%w: %s: %w", wire.ErrUnavailable, verb, err)
	}
	return nil, sending{}, fmt.Errorf("%s: %w", verb, unavailable(err))
}

// closed returns the error for a reply of one word, or nil if another attempt may succeed.
func (s *Shard) closed(ctx context.Context, verb wire.Verb, word string, g *generation) error {
	switch word {
	case wire.StatusFenced:
		_, err := s.reload(ctx, g)
		return err
	case wire.StatusLoading:
		return wire.ErrRebuilding
	case wire.StatusStopped:
		return fmt.Errorf("%w: an operator must decide; run holdfast doctor", wire.ErrRebuilding)
	case wire.StatusBacklog:
		return wire.ErrBacklogFull
	case wire.StatusRefused:
		s.config.Logger.Error("the event stream refused an entry: it holds a higher id than this epoch's", "verb", verb)
		return fmt.Errorf("%w: the event stream refused an entry", wire.ErrRebuilding)
	default:
		return fmt.Errorf("%w: %s answered %q", wire.ErrCorrupt, verb, word)
	}
}

// evalsha sends the script once, to the primary itself, so that no layer below sends it again.
func (s *Shard) evalsha(ctx context.Context, verb wire.Verb, g *generation, argv func([]any) []any) ([]any, error) {
	node, err := s.Node(ctx)
	if err != nil {
		return nil, err
	}
	keys := s.verbKeys[verb]
	args := make([]any, 0, 16)
	args = append(args, "evalsha", g.sha[verb], len(keys))
	for i := range keys {
		args = append(args, &keys[i])
	}
	cmd := redis.NewCmd(ctx, argv(args)...)
	if err := node.Process(ctx, cmd); err != nil {
		lookAgain(s.client, err)
		return nil, err
	}
	reply, err := cmd.Slice()
	if err != nil {
		return nil, err
	}
	if len(reply) == 0 {
		return nil, fmt.Errorf("empty reply: %w", wire.ErrCorrupt)
	}
	return reply, nil
}

// Pause waits for d. If ctx ends first, it returns the error of ctx.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nonce returns a random word. It tells an entry from one with the same id in another history.
func nonce() string { return strconv.FormatUint(rand.Uint64(), 36) }
