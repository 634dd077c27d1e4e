package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
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

	portion   int64  // entries to read in one call
	ahead     *batch // the batch after at, if it was read while the one before was applied
	appliedTo int64  // Unix ms, Redis's clock: everything before it is applied; 0: not known yet

	housekept, checked, forgot time.Time
	forgottenTo                int64 // Unix ms: Redis was told to forget what was resolved before
	nothingToUndo              []undoneStep
	givingUp                   bool // an operator accepts a ledger that is older than Redis
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
	b, err := a.read(ctx)
	if err != nil {
		return err
	}
	if len(b.entries) == 0 {
		a.appliedTo = began
		return a.shard.Wait(ctx, a.at.EntryID(), max(time.Millisecond, time.Until(a.housekept.Add(housekeepEvery))))
	}
	return a.apply(ctx, b)
}

// apply applies a batch, tells the calls that wait for it, and undoes what the ledger refused. A
// foreign entry, which no script of this epoch wrote, goes to quarantine. It blocks the scripts,
// since its id is higher than theirs, so apply returns errRebuild.
func (a *applier) apply(ctx context.Context, b *batch) error {
	entries := b.entries
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
	wait := func() {}
	if b.full() { // more entries wait
		wait = a.readAhead(ctx, to)
	}
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
