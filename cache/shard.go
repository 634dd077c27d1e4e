package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/lua"
)

// What a Shard can find, beside errUnavailable and errCorrupt.
var (
	ErrFenced  = errors.New("redis is not at the epoch it should be") // check it, and rebuild
	ErrStopped = errors.New("the gate is stopped until an operator decides")
)

// Shard is one shard's Redis in the hands of the reconciler: one connection to its primary, so that
// what was checked and what is changed can't be two servers. After errUnavailable it is of no more use.
// It is not safe for concurrent use.
type Shard struct {
	conn *redis.Conn
	keys keys
	sha  map[string]string // of the scripts, once loaded
}

// OpenShard opens a connection to the primary of a shard. It does no I/O but to find that primary.
func OpenShard(ctx context.Context, client redis.UniversalClient, prefix string, shard int) (*Shard, error) {
	k := keysOf(prefix, shard)
	node, err := primaryOf(ctx, client, k)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return &Shard{conn: node.Conn(), keys: k}, nil
}

// Close gives the connection back.
func (s *Shard) Close() { _ = s.conn.Close() }

// Inspect says which Redis this is. One round trip.
func (s *Shard) Inspect(ctx context.Context) (Identity, error) { return inspect(ctx, s.conn, s.keys) }

// Closed says whether the gate is closed for a rebuild, and Stopped whether it stays so until an operator
// decides.
func (id *Identity) Closed() bool { return id.Gate == gateLoading || id.Gate == gateStopped }

// Stopped see Closed.
func (id *Identity) Stopped() bool { return id.Gate == gateStopped }

// LastApplied reports whether the entry at a position is there, with its nonce. One round trip.
func (s *Shard) LastApplied(ctx context.Context, p Position) (bool, error) {
	entries, err := s.conn.XRange(ctx, s.keys.events, p.EntryID(), p.EntryID()).Result()
	if err != nil {
		return false, fmt.Errorf("%w: read the entry at the position: %w", errUnavailable, err)
	}
	return len(entries) == 1 && entries[0].Values["n"] == p.Nonce, nil
}

// Entries reads at most count entries from an id on, inclusive; "-" is the first there is. One round
// trip.
func (s *Shard) Entries(ctx context.Context, from string, count int64) ([]redis.XMessage, error) {
	entries, err := s.conn.XRangeN(ctx, s.keys.events, from, "+", count).Result()
	return entries, unavailable(err)
}

// Last reads the last entry; ok is false where there is none. One round trip.
func (s *Shard) Last(ctx context.Context) (entry redis.XMessage, ok bool, err error) {
	entries, err := s.conn.XRevRangeN(ctx, s.keys.events, "+", "-", 1).Result()
	if err != nil || len(entries) == 0 {
		return redis.XMessage{}, false, unavailable(err)
	}
	return entries[0], true, nil
}

// Wait returns when an entry after id is there, or after most.
func (s *Shard) Wait(ctx context.Context, id string, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most+time.Second) // what a Redis that hangs is given
	defer cancel()
	err := s.conn.XRead(ctx, &redis.XReadArgs{Streams: []string{s.keys.events, id}, Count: 1, Block: most}).Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return unavailable(err)
}

// Load loads those of an epoch's scripts that are missing, the verbs' too. Two round trips.
func (s *Shard) Load(ctx context.Context, epoch uint64, id Identity) error {
	names := lua.Names()
	shas, err := loadNamed(ctx, s.conn, names, epoch, id.real())
	if err != nil {
		return err
	}
	s.sha = make(map[string]string, len(names))
	for i, name := range names {
		s.sha[name] = shas[i]
	}
	return nil
}

// CloseGate closes the gate: nothing is served until a rebuild opens it. stopped keeps it closed until an
// operator decides. It holds whatever epoch Redis is at. One round trip.
func (s *Shard) CloseGate(ctx context.Context, stopped bool) error {
	gate := gateLoading
	if stopped {
		gate = gateStopped
	}
	return unavailable(s.conn.HSet(ctx, s.keys.stock, fieldGate, gate).Err())
}

// Tending is what a tend does.
type Tending struct {
	ExpireUntil int64    // Unix ms: holds may expire until then; 0 leaves it as it is
	Applied     Position // the stream is trimmed behind it; its zero value trims nothing
	BacklogMax  int64    // entries from which reserve is refused, until half of them are left
}

// Tend does what must be done every moment. It returns whether the backlog has closed the gate for
// reserve, and how many entries there are. One round trip.
func (s *Shard) Tend(ctx context.Context, t Tending) (backlog bool, entries int64, err error) {
	until, position := "", ""
	if t.ExpireUntil > 0 {
		until = strconv.FormatInt(t.ExpireUntil, 10)
	}
	if t.Applied.Epoch > 0 {
		position = t.Applied.EntryID()
	}
	k := s.keys
	reply, err := s.run(ctx, "housekeep", []string{k.stock, k.events}, until, position, t.BacklogMax)
	if err != nil {
		return false, 0, err
	}
	if len(reply) != 3 {
		return false, 0, fmt.Errorf("housekeep: %w", errCorrupt)
	}
	entries, err = strconv.ParseInt(fmt.Sprint(reply[2]), 10, 64)
	return reply[1] == gateBacklog, entries, err
}

// Undoing is a refused step of a reservation, and the ledger's record that it goes back to; nil where
// the ledger has none of that birth.
type Undoing struct {
	Step   Step
	Target *Record

	Unwatched bool         // where it is held again, its deadline is not watched: it would only be refused to expire
	Operation Step         // of a return: its own; else zero
	Levels    []LevelDelta // of a return: what it has added to on hand
}

// Compensate undoes refused steps of reservations, and returns those of which there is nothing to undo
// any more; errCorrupt names those whose levels are broken, the others are undone. It is safe to repeat.
// One round trip.
func (s *Shard) Compensate(ctx context.Context, list []Undoing) (gone []Step, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	args, rest := undoHead(len(list)), []any{}
	steps := make([]Step, len(list))
	for i, u := range list {
		target := ""
		if u.Target != nil {
			target = u.Target.Encode()
		}
		steps[i] = u.Step
		args = append(args, u.Step.ID)
		rest = append(rest, u.Step.Birth, u.Step.Version, target, asFlag(u.Unwatched), u.Operation.ID, u.Operation.Birth, len(u.Levels))
		for _, d := range u.Levels {
			rest = append(rest, levelName(d.SKU, d.Location), d.OnHand)
		}
	}
	k := s.keys
	reply, err := s.run(ctx, "compensate", []string{k.stock, k.levels, k.reservations, k.operations, k.deadlines, k.limits, k.events}, append(args, rest...)...)
	return goneOf(reply, steps, err)
}

// Reverting is a refused operation, and what it has added.
type Reverting struct {
	Step   Step
	Levels []LevelDelta
}

// Revert undoes refused operations, and returns those of which there is nothing to undo any more. It is
// safe to repeat. One round trip.
func (s *Shard) Revert(ctx context.Context, list []Reverting) (gone []Step, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	args, rest := undoHead(len(list)), []any{}
	steps := make([]Step, len(list))
	for i, r := range list {
		steps[i] = r.Step
		args = append(args, r.Step.ID)
		rest = append(rest, r.Step.Birth, len(r.Levels))
		for _, d := range r.Levels {
			rest = append(rest, levelName(d.SKU, d.Location), d.OnHand, d.SafetyStock, d.BackorderLimit, asFlag(d.Removed))
		}
	}
	k := s.keys
	reply, err := s.run(ctx, "revert", []string{k.stock, k.levels, k.operations, k.events}, append(args, rest...)...)
	return goneOf(reply, steps, err)
}

// asFlag is yes or no as a script takes it.
func asFlag(yes bool) string {
	if yes {
		return "1"
	}
	return ""
}

func undoHead(n int) []any { return []any{"", nonce(), n} }

// goneOf lists the steps answered "gone", and is an error that names those answered "corrupt".
func goneOf(reply []any, steps []Step, err error) ([]Step, error) {
	if err != nil {
		return nil, err
	}
	if len(reply) != 3+2*len(steps) {
		return nil, fmt.Errorf("%d values answered to %d undoings: %w", len(reply), len(steps), errCorrupt)
	}
	var gone []Step
	var broken []error
	for i, step := range steps {
		switch reply[3+2*i] {
		case "gone":
			gone = append(gone, step)
		case "corrupt":
			broken = append(broken, fmt.Errorf("%q can't be undone: %q is missing or broken: %w", step.ID, reply[4+2*i], errCorrupt))
		}
	}
	return gone, errors.Join(broken...)
}

// Forget drops what the ledger has and Redis need no longer keep, where it is still what the ledger
// has. It is safe to repeat. One round trip.
func (s *Shard) Forget(ctx context.Context, f Forgettable) error {
	args := []any{len(f.Reservations), len(f.Operations)}
	for _, list := range [][]Step{f.Reservations, f.Operations} {
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
	k := s.keys
	_, err := s.run(ctx, "forget", []string{k.stock, k.reservations, k.operations}, args...)
	return err
}

// run runs a script and turns a one-word refusal into an error.
func (s *Shard) run(ctx context.Context, name string, k []string, args ...any) ([]any, error) {
	reply, err := s.conn.EvalSha(ctx, s.sha[name], k, args...).Slice()
	switch {
	case err != nil && redis.HasErrorPrefix(err, "NOSCRIPT"):
		return nil, fmt.Errorf("%s: %w: %w", name, ErrFenced, err)
	case err != nil && outcomeOf(err) == ranPartly:
		return nil, fmt.Errorf("%s: %w: %w", name, errCorrupt, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, unavailable(err))
	case len(reply) == 0:
		return nil, fmt.Errorf("%s: empty reply: %w", name, errCorrupt)
	}
	switch word := reply[0]; word {
	case "ok":
		return reply, nil
	case gateStopped:
		return nil, ErrStopped
	default: // fenced, loading, refused
		return nil, fmt.Errorf("%s answered %q: %w", name, word, ErrFenced)
	}
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errUnavailable, err)
}

// Facts is what Redis says of itself: the fields of INFO; errCorrupt from the embedded engine, which
// says nothing. One round trip.
func (s *Shard) Facts(ctx context.Context) (map[string]string, error) {
	text, err := s.conn.Info(ctx).Result()
	switch {
	case err != nil && outcomeOf(err) == ranPartly:
		return nil, fmt.Errorf("info: %w: %w", errCorrupt, err)
	case err != nil:
		return nil, unavailable(err)
	default:
		return infoFields(text), nil
	}
}
