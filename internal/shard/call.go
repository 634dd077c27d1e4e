package shard

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// attemptsMax bounds how often one batch is sent; backoff is what is waited before the second time,
// and twice, thrice as long before the next, with jitter.
const (
	attemptsMax = 4
	backoff     = 15 * time.Millisecond
)

// run sends a batch and reads its answers. It sends the same ids again where the script did not run
// or nobody can tell, within Options.Timeout; never where it may have run partly, and it never falls
// back to EVAL: an unknown script is the sign that this may be another server, or its past.
func (s *Shard) run(verb wire.Verb, b *Batch) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Timeout)
	defer cancel()
	for _, p := range b.pending {
		b.ids = append(b.ids, p.request.ID())
		p.request.Arguments(b)
	}
	header := b.header(verb, s.Now())
	reply, how, err := s.call(ctx, verb, header, b.arguments)
	if err != nil {
		return err
	}
	if err := b.decode(verb, reply); err != nil {
		return err
	}
	for i := range b.answers {
		b.answers[i].Epoch = how.epoch
		if how.attempts > 1 && slices.Index(b.ids, b.ids[i]) == i { // of calls with the same id, the first
			b.answers[i].Resent = header[headerNonce]
		}
	}
	return nil
}

// DryRun makes the reserve script decide a request without writing anything.
func (s *Shard) DryRun(ctx context.Context, r Request) (Answer, error) {
	b := newBatch(1)
	b.ids = []string{""} // no reservation has this id
	r.Arguments(b)
	header := b.header(wire.VerbReserve, s.Now())
	header[headerMode], header[headerRequests] = modeDry, "1"
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	reply, _, err := s.call(ctx, wire.VerbReserve, header, b.arguments)
	if err != nil {
		return Answer{}, err
	}
	b.pending = []*pending{nil} // one request is answered
	if err := b.decode(wire.VerbReserve, reply); err != nil {
		return Answer{}, err
	}
	return b.answers[0], nil
}

// Expire runs the expire script, which takes no requests, and returns its reply.
func (s *Shard) Expire(ctx context.Context) (reply []any, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	reply, _, err = s.call(ctx, wire.VerbExpire, []string{s.Now(), nonce()}, func(args []any) []any { return args })
	return reply, err
}

// sending is how a script came to answer.
type sending struct {
	attempts int
	epoch    uint64
}

// call runs a verb's script, again where that is safe, and returns a reply that begins with "ok" and
// how it came about.
func (s *Shard) call(ctx context.Context, verb wire.Verb, header []string, body func([]any) []any) (reply []any, how sending, err error) {
	for attempt := range attemptsMax {
		if attempt > 0 {
			if !pause(ctx, attempt) {
				break
			}
		}
		var g *generation
		if g, err = s.current(ctx); err != nil {
			return nil, sending{}, err
		}
		reply, err = s.evalsha(ctx, verb, g, header, body)
		switch outcomeOf(err) {
		case ranYes:
			if word, ok := reply[0].(string); !ok || word != "ok" {
				if err = s.closed(ctx, verb, word, g); err != nil {
					return nil, sending{}, err
				}
				continue
			}
			return reply, sending{attempt + 1, g.epoch}, nil
		case ranFenced:
			if _, err = s.reload(ctx, g); err != nil {
				return nil, sending{}, err
			}
		case ranPartly:
			s.config.Logger.Error("a script stopped half-way; audit this shard now", "verb", verb, "error", err)
			return nil, sending{}, fmt.Errorf("%w: %s: %w", wire.ErrCorrupt, verb, err)
		}
	}
	return nil, sending{}, fmt.Errorf("%w: %s: %w", wire.ErrUnavailable, verb, err)
}

// closed says what a one-word reply means; nil means that it is worth trying again.
func (s *Shard) closed(ctx context.Context, verb wire.Verb, word string, g *generation) error {
	switch word {
	case "fenced":
		_, err := s.reload(ctx, g)
		return err
	case "loading":
		return wire.ErrRebuilding
	case "stopped":
		return fmt.Errorf("%w: an operator must decide; run holdfast doctor", wire.ErrRebuilding)
	case "backlog":
		return wire.ErrBacklogFull
	case "refused":
		s.config.Logger.Error("the event stream refused an entry: it holds a higher id than this epoch's", "verb", verb)
		return fmt.Errorf("%w: the event stream refused an entry", wire.ErrRebuilding)
	default:
		return fmt.Errorf("%w: %s answered %q", wire.ErrCorrupt, verb, word)
	}
}

// evalsha sends the script once, on the primary itself: no layer below may send it again.
func (s *Shard) evalsha(ctx context.Context, verb wire.Verb, g *generation, header []string, body func([]any) []any) ([]any, error) {
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
	for i := range header {
		args = append(args, &header[i])
	}
	cmd := redis.NewCmd(ctx, body(args)...)
	if err := node.Process(ctx, cmd); err != nil {
		if _, moved := redis.IsMovedError(err); moved {
			if c, ok := s.client.(*redis.ClusterClient); ok {
				c.ReloadState(ctx)
			}
		}
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

// pause waits before another attempt; false says that there is no time left.
func pause(ctx context.Context, attempt int) bool {
	timer := time.NewTimer(time.Duration(attempt)*backoff + rand.N(backoff))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// nonce is a random word that tells this entry from another one of the same id.
func nonce() string { return strconv.FormatUint(rand.Uint64(), 36) }
