package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// A batch is about eventsPerBatch events, at most entriesMax entries.
const (
	eventsPerBatch = 1000
	entriesMax     = 1000
	entriesMin     = 16
)

// tail is one tenure: it applies what the stream says after at.
type tail struct {
	*Reconciler
	session ledger.Session
	at      cache.Position
	seen    cache.Identity // of Redis, when it was last asked
	seenAt  time.Time      // when that was, by this process's clock

	tended, inspected, forgot time.Time
	forgottenTo               int64 // Unix ms; what was resolved before, Redis was told to forget
	appliedTo                 int64 // Unix ms, by Redis's clock: all that happened before is applied; 0: not known yet
	count                     int64 // entries to read
	orphans                   orphans
	gone                      []goneStep     // refused steps that have nothing to be undone
	ahead                     []ledger.Entry // what follows at, read while what was before it was applied; or nil
}

// Settle makes Redis what the ledger's position says: it is, or it is rebuilt; found is why it must be,
// where that is known.
func (t *tail) Settle(ctx context.Context, found string) error {
	t.ahead = nil
	p, there, err := t.session.Position(ctx)
	if err != nil {
		return err
	}
	if there {
		if err := t.mismatch(&p); err != nil {
			return err
		}
		t.at, t.forgottenTo = p.Position, p.ForgottenTo
	}
	if err := t.safe(ctx); err != nil {
		return err
	}
	why, err := t.examine(ctx, there, p.Rebuild)
	if why = cmp.Or(why, found); err == nil && why != "" {
		err = t.rebuild(ctx, there, why)
	}
	if err != nil {
		return err
	}
	return t.loadScripts(ctx)
}

// loadScripts loads what is missing of the scripts, while nobody else does.
func (t *tail) loadScripts(ctx context.Context) error {
	return t.Ledger.Loading(ctx, func(ctx context.Context, p cache.Position) error {
		if !ledger.SamePosition(p, t.at) {
			return ledger.ErrMoved
		}
		return t.shard.Load(ctx, t.at.Epoch, t.seen)
	})
}

// safe refuses a Redis that may delete a counter by itself.
func (t *tail) safe(ctx context.Context) error {
	facts, err := t.shard.Facts(ctx)
	if policy, said := facts["maxmemory_policy"]; err == nil && said && policy != "noeviction" {
		return fmt.Errorf("%w: redis: maxmemory-policy is %s: set it to noeviction", setup.ErrUnsafe, policy)
	}
	if errors.Is(err, cache.ErrCorrupt) { // the embedded engine does not know INFO
		return nil
	}
	return err
}

// examine says why Redis must be rebuilt; "" where it is what the position says.
func (t *tail) examine(ctx context.Context, there, asked bool) (why string, err error) {
	if err := t.inspect(ctx); err != nil {
		return "", err
	}
	accepted := asked || t.AcceptOlderLedger
	if !there {
		if t.seen.Epoch != 0 && !accepted {
			return "", fmt.Errorf("%w: it is empty, Redis is at epoch %d", ErrOlderLedger, t.seen.Epoch)
		}
		return "the ledger has begun nothing yet", nil
	}
	if !t.seen.Primary {
		return "", fmt.Errorf("%w: it is a replica", cache.ErrUnavailable)
	}
	if err := t.olderLedger(ctx, accepted); err != nil {
		return "", err
	}
	if why = t.seen.Foreign(t.at); why != "" {
		return why, nil
	}
	applied, err := t.shard.LastApplied(ctx, t.at)
	switch {
	case err != nil:
		return "", err
	case !applied:
		return "the last applied event is not there", nil
	}
	last, _, err := t.shard.Last(ctx)
	if err != nil {
		return "", err
	}
	switch id, err := ledger.ParseEntryID(last.ID); {
	case err != nil || id.Epoch != t.at.Epoch:
		return "entry " + last.ID + " was not written by a script", nil
	case t.seen.Closed():
		return "a rebuild was not finished", nil
	case asked:
		return "an operator asked for it", nil
	default:
		return "", nil
	}
}

// olderLedger refuses a ledger that lacks what Redis has: only an operator may give that up. Where one has, what came
// and left until now may be among it.
func (t *tail) olderLedger(ctx context.Context, accepted bool) error {
	first, err := t.shard.Entries(ctx, "-", 1)
	if err != nil {
		return err
	}
	why, err := ledger.OlderThanRedis(ctx, t.shard, &t.seen, first, t.at)
	if err != nil {
		return err
	}
	if why == "" {
		return nil
	}
	if err := t.stillThere(ctx); err != nil {
		return err
	}
	if accepted {
		return t.session.KeepFrom(ctx, t.seen.Now)
	}
	if err := t.shard.CloseGate(ctx, true); err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", ErrOlderLedger, why)
}

// stillThere refuses where the position is another by now, or the lock another's: who was stopped after reading the
// position finds a Redis that has gone on with the ledger, and would take that for older.
func (t *tail) stillThere(ctx context.Context) error {
	p, there, err := t.session.Position(ctx)
	if err == nil && !(there && ledger.SamePosition(p.Position, t.at)) {
		err = ledger.ErrMoved
	}
	return err
}

func (t *tail) inspect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	seen, err := t.shard.Inspect(ctx)
	if err != nil {
		return err
	}
	t.seen, t.seenAt = seen, time.Now()
	return nil
}

// now is Redis's clock, Unix ms.
func (t *tail) now() int64 { return t.seen.Now + time.Since(t.seenAt).Milliseconds() }

// run applies until something fails or ctx ends. A Redis that turns out to be another is rebuilt.
func (t *tail) run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := t.step(ctx)
		switch {
		case errors.Is(err, errRebuild):
			err = t.Settle(ctx, err.Error())
		case errors.Is(err, cache.ErrFenced): // or its scripts were flushed, and nothing else is wrong
			err = t.Settle(ctx, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// step does what is due, applies one batch, or waits for an entry.
func (t *tail) step(ctx context.Context) error {
	if err := t.keep(ctx); err != nil {
		return err
	}
	began := t.now()
	entries, err := t.read(ctx)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		t.appliedTo = began
		return t.shard.Wait(ctx, t.at.EntryID(), max(time.Millisecond, time.Until(t.tended.Add(tendEvery))))
	}
	return t.Apply(ctx, entries)
}

// read reads what follows the last applied entry, which must be there.
func (t *tail) read(ctx context.Context) ([]ledger.Entry, error) {
	if ahead := t.ahead; ahead != nil {
		t.ahead = nil
		return ahead, nil
	}
	return t.readFrom(ctx, t.at)
}

// readFrom reads what follows an entry, which must be there.
func (t *tail) readFrom(ctx context.Context, at cache.Position) ([]ledger.Entry, error) {
	t.count = max(entriesMin, t.count)
	list, err := t.shard.Entries(ctx, at.EntryID(), t.count+1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].ID != at.EntryID() || list[0].Values["n"] != at.Nonce {
		return nil, fmt.Errorf("%w: the last applied event is not there", errRebuild)
	}
	return t.Decode(list[1:])
}

// readAhead reads what follows a full batch while that is applied: more is waiting. wait returns once that
// is done; what was read is used where the batch was applied, and an error is met again when it is read
// again.
func (t *tail) readAhead(ctx context.Context, entries []ledger.Entry, to cache.Position) (wait func()) {
	events := 0
	for i := range entries {
		events += entries[i].Weight()
	}
	if events < eventsPerBatch {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if ahead, err := t.readFrom(ctx, to); err == nil && len(ahead) > 0 {
			t.ahead = ahead
		}
	}()
	return func() { <-done }
}

// Decode reads entries up to the size of a batch.
func (t *tail) Decode(list []redis.XMessage) ([]ledger.Entry, error) {
	entries, events := make([]ledger.Entry, 0, len(list)), 0
	for _, m := range list {
		if events >= eventsPerBatch {
			break
		}
		e, err := ledger.ReadEntry(m)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
		events += e.Weight()
	}
	if n := int64(len(entries)); n > 0 {
		t.count = min(entriesMax, max(entriesMin, n*eventsPerBatch/int64(max(1, events))))
	}
	return entries, nil
}

// Apply applies a batch, tells who waits, and has undone what was refused. An entry of another epoch was
// not written by any script: it keeps them from writing, so a rebuild must do without it.
func (t *tail) Apply(ctx context.Context, entries []ledger.Entry) error {
	for i := range entries {
		if !entries[i].Of(t.at.Epoch) {
			if i > 0 {
				return t.Apply(ctx, entries[:i])
			}
			if err := t.session.SetAside(ctx, entries, "not written by a script of this epoch"); err != nil {
				return err
			}
			return fmt.Errorf("%w: entry %s is foreign", errRebuild, entries[0].Text)
		}
	}
	t.Point("read")
	last := &entries[len(entries)-1]
	to := t.at
	to.Sequence, to.Nonce = last.ID.Sequence, last.Nonce
	wait := t.readAhead(ctx, entries, to)
	refusals, err := t.session.Apply(ctx, t.at, to, entries)
	wait()
	if err != nil {
		t.ahead = nil
		return err
	}
	t.at, t.appliedTo = to, max(t.appliedTo, last.At)
	t.Point("applied")
	t.Ledger.Decided(entries, refusals)
	t.counted(entries, len(refusals))
	t.warnOfStuck(refusals)
	return t.undo(ctx, refusals)
}

// undo has refused steps undone in Redis. It is repeated until their undoing was applied.
func (t *tail) undo(ctx context.Context, refusals []ledger.Refusal) error {
	const most = 64
	for len(refusals) > 0 {
		n := min(most, len(refusals))
		if err := t.undoSome(ctx, refusals[:n]); err != nil {
			return err
		}
		refusals = refusals[n:]
	}
	return nil
}

func (t *tail) undoSome(ctx context.Context, refusals []ledger.Refusal) error {
	var ids []string
	for _, r := range refusals {
		if !r.Step.Operation {
			ids = append(ids, r.Step.ID)
		}
	}
	records, err := t.session.Records(ctx, ids)
	if err != nil {
		return err
	}
	var undoings []cache.Undoing
	var revertings []cache.Reverting
	for i := range refusals {
		r := &refusals[i]
		if r.Step.Operation {
			revertings = append(revertings, cache.Reverting{Step: r.Step, Levels: r.Detail.Levels})
			continue
		}
		undoing := cache.Undoing{Step: r.Step, Unwatched: r.Stuck(), Operation: r.Detail.Returned(), Levels: r.Detail.Levels}
		if known, there := records[r.Step.ID]; there {
			undoing.Target = ledger.UndoTarget(r, &known)
		}
		undoings = append(undoings, undoing)
	}
	t.Point("refused")
	return t.send(ctx, undoings, revertings)
}

// send sends undoings, and notes those of which there is nothing left to undo. What can't be undone, for
// somebody has edited Redis, stays open, and is tried again.
func (t *tail) send(ctx context.Context, undoings []cache.Undoing, revertings []cache.Reverting) error {
	var gone []cache.Step
	for _, send := range []func() ([]cache.Step, error){
		func() ([]cache.Step, error) { return t.shard.Compensate(ctx, undoings) },
		func() ([]cache.Step, error) { return t.shard.Revert(ctx, revertings) },
	} {
		list, err := send()
		if errors.Is(err, cache.ErrCorrupt) {
			t.Logger.Error("a refused step can't be undone in redis; rebuild it: holdfast reconcile rebuild", "error", err)
		} else if err != nil {
			return err
		}
		gone = append(gone, list...)
	}
	return t.noteGone(ctx, gone)
}
