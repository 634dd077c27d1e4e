package shard

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
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
type Conn struct {
	conn *redis.Conn
	keys wire.Keys
	sha  map[string]string // of the scripts, once loaded
}

// OpenShard opens a connection to the primary of a shard. It does no I/O but to find that primary.
func Open(ctx context.Context, client redis.UniversalClient, prefix string, shard int) (*Conn, error) {
	k := wire.KeysOf(prefix, shard)
	node, err := primaryOf(ctx, client, k)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
	}
	return &Conn{conn: node.Conn(), keys: k}, nil
}

// Close gives the connection back.
func (s *Conn) Close() { _ = s.conn.Close() }

// Inspect says which Redis this is. One round trip.
func (s *Conn) Inspect(ctx context.Context) (Identity, error) { return inspect(ctx, s.conn, s.keys) }

// LastApplied reports whether the entry at a position is there, with its nonce. One round trip.
func (s *Conn) LastApplied(ctx context.Context, p wire.Position) (bool, error) {
	entries, err := s.conn.XRange(ctx, s.keys.Events, p.EntryID(), p.EntryID()).Result()
	if err != nil {
		return false, fmt.Errorf("%w: read the entry at the position: %w", wire.ErrUnavailable, err)
	}
	return len(entries) == 1 && entries[0].Values["n"] == p.Nonce, nil
}

// Entries reads at most count entries from an id on, inclusive; "-" is the first there is. One round
// trip.
func (s *Conn) Entries(ctx context.Context, from string, count int64) ([]redis.XMessage, error) {
	entries, err := s.conn.XRangeN(ctx, s.keys.Events, from, "+", count).Result()
	return entries, unavailable(err)
}

// Last reads the last entry; ok is false where there is none. One round trip.
func (s *Conn) Last(ctx context.Context) (entry redis.XMessage, ok bool, err error) {
	entries, err := s.conn.XRevRangeN(ctx, s.keys.Events, "+", "-", 1).Result()
	if err != nil || len(entries) == 0 {
		return redis.XMessage{}, false, unavailable(err)
	}
	return entries[0], true, nil
}

// Wait returns when an entry after id is there, or after most.
func (s *Conn) Wait(ctx context.Context, id string, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most+time.Second) // what a Redis that hangs is given
	defer cancel()
	err := s.conn.XRead(ctx, &redis.XReadArgs{Streams: []string{s.keys.Events, id}, Count: 1, Block: most}).Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return unavailable(err)
}

// Load loads those of an epoch's scripts that are missing, the verbs' too. Two round trips.
func (s *Conn) Load(ctx context.Context, epoch uint64, id Identity) error {
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
func (s *Conn) CloseGate(ctx context.Context, stopped bool) error {
	gate := wire.GateLoading
	if stopped {
		gate = wire.GateStopped
	}
	return unavailable(s.conn.HSet(ctx, s.keys.Stock, wire.FieldGate, gate).Err())
}

// Tending is what a tend does.
type Tending struct {
	ExpireUntil int64         // Unix ms: holds may expire until then; 0 leaves it as it is
	Applied     wire.Position // the stream is trimmed behind it; its zero value trims nothing
	BacklogMax  int64         // entries from which reserve is refused, until half of them are left
}

// Tend does what must be done every moment. It returns whether the backlog has closed the gate for
// reserve, and how many entries there are. One round trip.
func (s *Conn) Tend(ctx context.Context, t Tending) (backlog bool, entries int64, err error) {
	until, position := "", ""
	if t.ExpireUntil > 0 {
		until = strconv.FormatInt(t.ExpireUntil, 10)
	}
	if t.Applied.Epoch > 0 {
		position = t.Applied.EntryID()
	}
	k := s.keys
	reply, err := s.run(ctx, "housekeep", []string{k.Stock, k.Events}, until, position, t.BacklogMax)
	if err != nil {
		return false, 0, err
	}
	if len(reply) != 3 {
		return false, 0, fmt.Errorf("housekeep: %w", wire.ErrCorrupt)
	}
	entries, err = strconv.ParseInt(fmt.Sprint(reply[2]), 10, 64)
	return reply[1] == wire.GateBacklog, entries, err
}

// Undoing is a refused step of a reservation, and the ledger's record that it goes back to; nil where
// the ledger has none of that birth.
type Undoing struct {
	Step   wire.Step
	Target *wire.Record

	Unwatched bool              // where it is held again, its deadline is not watched: it would only be refused to expire
	Operation wire.Step         // of a return: its own; else zero
	Levels    []wire.LevelDelta // of a return: what it has added to on hand
}

// Compensate undoes refused steps of reservations, and returns those of which there is nothing to undo
// any more; errCorrupt names those whose levels are broken, the others are undone. It is safe to repeat.
// One round trip.
func (s *Conn) Compensate(ctx context.Context, list []Undoing) (gone []wire.Step, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	args, rest := undoHead(len(list)), []any{}
	steps := make([]wire.Step, len(list))
	for i, u := range list {
		target := ""
		if u.Target != nil {
			target = u.Target.Encode()
		}
		steps[i] = u.Step
		args = append(args, u.Step.ID)
		rest = append(rest, u.Step.Birth, u.Step.Version, target, AsFlag(u.Unwatched), u.Operation.ID, u.Operation.Birth, len(u.Levels))
		for _, d := range u.Levels {
			rest = append(rest, wire.LevelField(d.SKU, d.Location), d.OnHand)
		}
	}
	k := s.keys
	reply, err := s.run(ctx, "compensate", []string{k.Stock, k.Levels, k.Reservations, k.Operations, k.Deadlines, k.Limits, k.Events}, append(args, rest...)...)
	return goneOf(reply, steps, err)
}

// Reverting is a refused operation, and what it has added.
type Reverting struct {
	Step   wire.Step
	Levels []wire.LevelDelta
}

// Revert undoes refused operations, and returns those of which there is nothing to undo any more. It is
// safe to repeat. One round trip.
func (s *Conn) Revert(ctx context.Context, list []Reverting) (gone []wire.Step, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	args, rest := undoHead(len(list)), []any{}
	steps := make([]wire.Step, len(list))
	for i, r := range list {
		steps[i] = r.Step
		args = append(args, r.Step.ID)
		rest = append(rest, r.Step.Birth, len(r.Levels))
		for _, d := range r.Levels {
			rest = append(rest, wire.LevelField(d.SKU, d.Location), d.OnHand, d.SafetyStock, d.BackorderLimit, AsFlag(d.Removed))
		}
	}
	k := s.keys
	reply, err := s.run(ctx, "revert", []string{k.Stock, k.Levels, k.Operations, k.Events}, append(args, rest...)...)
	return goneOf(reply, steps, err)
}

// AsFlag is yes or no as a script takes it.
func AsFlag(yes bool) string {
	if yes {
		return "1"
	}
	return ""
}

func undoHead(n int) []any { return []any{"", nonce(), n} }

// goneOf lists the steps answered "gone", and is an error that names those answered "corrupt".
func goneOf(reply []any, steps []wire.Step, err error) ([]wire.Step, error) {
	if err != nil {
		return nil, err
	}
	if len(reply) != 3+2*len(steps) {
		return nil, fmt.Errorf("%d values answered to %d undoings: %w", len(reply), len(steps), wire.ErrCorrupt)
	}
	var gone []wire.Step
	var broken []error
	for i, step := range steps {
		switch reply[3+2*i] {
		case "gone":
			gone = append(gone, step)
		case "corrupt":
			broken = append(broken, fmt.Errorf("%q can't be undone: %q is missing or broken: %w", step.ID, reply[4+2*i], wire.ErrCorrupt))
		}
	}
	return gone, errors.Join(broken...)
}

// Forget drops what the ledger has and Redis need no longer keep, where it is still what the ledger
// has. It is safe to repeat. One round trip.
func (s *Conn) Forget(ctx context.Context, f wire.Forgettable) error {
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
	k := s.keys
	_, err := s.run(ctx, "forget", []string{k.Stock, k.Reservations, k.Operations}, args...)
	return err
}

// run runs a script and turns a one-word refusal into an error.
func (s *Conn) run(ctx context.Context, name string, k []string, args ...any) ([]any, error) {
	reply, err := s.conn.EvalSha(ctx, s.sha[name], k, args...).Slice()
	switch {
	case err != nil && redis.HasErrorPrefix(err, "NOSCRIPT"):
		return nil, fmt.Errorf("%s: %w: %w", name, ErrFenced, err)
	case err != nil && outcomeOf(err) == ranPartly:
		return nil, fmt.Errorf("%s: %w: %w", name, wire.ErrCorrupt, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, unavailable(err))
	case len(reply) == 0:
		return nil, fmt.Errorf("%s: empty reply: %w", name, wire.ErrCorrupt)
	}
	switch word := reply[0]; word {
	case "ok":
		return reply, nil
	case wire.GateStopped:
		return nil, ErrStopped
	default: // fenced, loading, refused
		return nil, fmt.Errorf("%s answered %q: %w", name, word, ErrFenced)
	}
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
}

// Facts is what Redis says of itself: the fields of INFO; errCorrupt from the embedded engine, which
// says nothing. One round trip.
func (s *Conn) Facts(ctx context.Context) (map[string]string, error) {
	text, err := s.conn.Info(ctx).Result()
	switch {
	case err != nil && outcomeOf(err) == ranPartly:
		return nil, fmt.Errorf("info: %w: %w", wire.ErrCorrupt, err)
	case err != nil:
		return nil, unavailable(err)
	default:
		return infoFields(text), nil
	}
}
