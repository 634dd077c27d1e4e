package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// A batch has about eventsPerBatch events and at most entriesMax entries. At least entriesMin are
// read.
const (
	eventsPerBatch = 1000
	entriesMax     = 1000
	entriesMin     = 16
)

// errRebuild says that Redis must be rebuilt; its text carries the reason.
var errRebuild = errors.New("a rebuild is needed")

// foreignEntry is the reason to put an entry of another epoch, or without a nonce, into quarantine.
const foreignEntry = "not written by a script of this epoch"

// applier applies the stream to the ledger during one lease term.
type applier struct {
	*Reconciler
	session ledger.Session
	at      wire.Position  // of the last applied entry
	seen    shard.Identity // of Redis, when it was last inspected
	seenAt  time.Time      // when that was, by this process's clock

	count     int64          // entries to read for a batch
	ahead     []ledger.Entry // the batch after at, if it was read while the one before was applied
	appliedTo int64          // Unix ms, Redis's clock: everything before it is applied; 0: not known yet

	housekept, checked, forgot time.Time
	forgottenTo                int64 // Unix ms: Redis was told to forget what was resolved before
	nothingToUndo              []undoneStep
	orphans                    orphans
}

// run applies entries until something fails or ctx ends. It rebuilds Redis if it turns out to be
// another.
func (a *applier) run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := a.step(ctx)
		switch {
		case errors.Is(err, errRebuild):
			err = a.prepare(ctx, err.Error())
		case errors.Is(err, shard.ErrFenced): // perhaps only its scripts were flushed
			err = a.prepare(ctx, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// step does the housekeeping that is due, then applies one batch. If there is none, it waits for an
// entry until the next housekeeping.
func (a *applier) step(ctx context.Context) error {
	if err := a.housekeeping(ctx); err != nil {
		return err
	}
	began := a.now()
	entries, err := a.read(ctx)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		a.appliedTo = began
		return a.shard.Wait(ctx, a.at.EntryID(), max(time.Millisecond, time.Until(a.housekept.Add(housekeepEvery))))
	}
	return a.apply(ctx, entries)
}

// read returns the batch after the last applied entry; none if there is nothing to apply.
func (a *applier) read(ctx context.Context) ([]ledger.Entry, error) {
	if ahead := a.ahead; ahead != nil {
		a.ahead = nil
		return ahead, nil
	}
	return a.readFrom(ctx, a.at)
}

// readFrom reads the batch after a position. It returns errRebuild if the entry at that position is
// missing or has another nonce. One round trip.
func (a *applier) readFrom(ctx context.Context, at wire.Position) ([]ledger.Entry, error) {
	a.count = max(entriesMin, a.count)
	list, err := a.shard.Entries(ctx, at.EntryID(), a.count+1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].ID != at.EntryID() || list[0].Values["n"] != at.Nonce {
		return nil, fmt.Errorf("%w: %s", errRebuild, lastAppliedMissing)
	}
	return a.decode(list[1:])
}

// decode decodes entries up to the size of a batch, and adapts how many are read the next time.
func (a *applier) decode(list []redis.XMessage) ([]ledger.Entry, error) {
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
		a.count = min(entriesMax, max(entriesMin, n*eventsPerBatch/int64(max(1, events))))
	}
	return entries, nil
}

// apply applies a batch, tells the calls that wait for it, and undoes what the ledger refused. A
// foreign entry, which no script of this epoch wrote, goes to quarantine. It blocks the scripts,
// since its id is higher than theirs, so apply returns errRebuild.
func (a *applier) apply(ctx context.Context, entries []ledger.Entry) error {
	switch n := untilForeign(entries, a.at.Epoch); {
	case n == 0:
		if err := a.session.SetAside(ctx, entries, foreignEntry); err != nil {
			return err
		}
		return fmt.Errorf("%w: entry %s is foreign", errRebuild, entries[0].Text)
	case n < len(entries):
		entries = entries[:n]
	}
	a.Point("read")
	to := a.endOf(entries)
	wait := a.readAhead(ctx, entries, to)
	refusals, err := a.session.Apply(ctx, a.at, to, entries)
	wait()
	if err != nil {
		a.ahead = nil
		return err
	}
	a.at, a.appliedTo = to, max(a.appliedTo, entries[len(entries)-1].At)
	a.Point("applied")
	a.Ledger.Decided(entries, refusals)
	a.countBatch(entries, len(refusals))
	a.logStuck(refusals)
	return a.undo(ctx, refusals)
}

// untilForeign counts the entries before the first one that no script of the epoch wrote.
func untilForeign(entries []ledger.Entry, epoch uint64) int {
	for i := range entries {
		if !entries[i].WrittenIn(epoch) {
			return i
		}
	}
	return len(entries)
}

// endOf returns the position once entries are applied.
func (a *applier) endOf(entries []ledger.Entry) wire.Position {
	last, to := &entries[len(entries)-1], a.at
	to.Sequence, to.Nonce = last.ID.Sequence, last.Nonce
	return to
}

// readAhead reads the batch after a full one while that is applied: more entries wait. The caller
// must call wait before it uses a.ahead. An error is dropped, since the next read meets it again.
func (a *applier) readAhead(ctx context.Context, entries []ledger.Entry, to wire.Position) (wait func()) {
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
		if ahead, err := a.readFrom(ctx, to); err == nil && len(ahead) > 0 {
			a.ahead = ahead
		}
	}()
	return func() { <-done }
}
