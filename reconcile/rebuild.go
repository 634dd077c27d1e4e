package reconcile

import (
	"cmp"
	"context"
	cryptorand "crypto/rand"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// How much a rebuild loads in one call: a script of about a millisecond. Reservations differ in
// size, so a chunk has fewer of them if those before had many lines.
const (
	levelsPerChunk       = 1000
	reservationsPerChunk = 500
	reservationsFirst    = 16 // in the first chunk
	linesPerChunk        = 2000
	operationsPerChunk   = 1000
	limitsPerChunk       = 1000
)

// rebuild loads Redis from the ledger, under the next epoch. It closes the gate, applies the
// entries that continue the ledger's history, puts any others into quarantine, drops everything,
// loads, and opens the gate. known says whether the ledger has a position. A rebuilder that was
// paused finds a higher epoch, and its scripts are refused.
func (a *applier) rebuild(ctx context.Context, known bool, why string) error {
	started := time.Now()
	if known {
		a.Logger.Warn("rebuilding redis from the ledger", "why", why)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := a.shard.CloseGate(ctx, false); err != nil {
		return err
	}
	var from *wire.Position
	if known {
		if err := a.drain(ctx); err != nil {
			return err
		}
		before := a.at
		from = &before
	}
	if err := a.inspect(ctx); err != nil {
		return err
	}
	if err := a.shard.CheckWrites(ctx, a.seen, false); err != nil { // before an epoch is used up
		return err
	}
	if err := a.keepGivenUp(ctx); err != nil {
		return err
	}
	a.Point("rebuild")
	to := a.nextEpoch()
	if err := a.session.Begin(ctx, from, to); err != nil {
		return err
	}
	a.Point("begun")
	a.at = to
	if err := a.loadScripts(ctx); err != nil {
		return err
	}
	if err := a.shard.Begin(ctx, to.Nonce, to.LedgerID); err != nil {
		return err
	}
	loaded, err := a.load(ctx)
	if err != nil {
		return err
	}
	a.Point("loaded")
	if err := a.shard.Open(ctx, to.Epoch, loaded.locations, a.now()+expiryLease.Milliseconds()); err != nil {
		return err
	}
	done := "redis is initialised and open"
	if known {
		a.counters.update(func(s *Stats) { s.Rebuilds++ })
		done = "redis is rebuilt and open"
	}
	a.countEpoch(to.Epoch)
	a.Logger.Info(done, "epoch", to.Epoch, "levels", loaded.levels, "reservations", loaded.reservations,
		"operations", loaded.operations, "took", time.Since(started).Round(time.Millisecond).String())
	return a.retakeOrphans(ctx)
}

// nextEpoch returns the position of the first entry of the next epoch, in this Redis.
func (a *applier) nextEpoch() wire.Position {
	return wire.Position{
		Epoch: max(a.at.Epoch, a.seen.Epoch) + 1, Sequence: 1, Nonce: strconv.FormatUint(rand.Uint64(), 36),
		RunID: a.seen.RunID, ReplicationID: a.seen.ReplicationID, Shards: a.Shards, Prefix: a.Prefix, SeenAt: a.seen.Now,
		LedgerID: cmp.Or(a.at.LedgerID, cryptorand.Text()),
	}
}

// drain applies the entries after the last applied one, if that is in the stream: then they
// continue the ledger's history. All others go to quarantine. Refused steps need no undoing: the
// next epoch starts without them.
func (a *applier) drain(ctx context.Context) error {
	applied, err := a.shard.LastApplied(ctx, a.at)
	if err != nil {
		return err
	}
	if !applied {
		return a.setAsideAll(ctx)
	}
	for {
		b, err := a.read(ctx)
		if err != nil || len(b.entries) == 0 {
			return err
		}
		entries := b.entries
		n := untilForeign(entries, a.at.Epoch)
		if n > 0 {
			to := a.endOf(entries[:n])
			refusals, err := a.session.Apply(ctx, a.at, to, entries[:n])
			if err != nil {
				return err
			}
			a.at = to
			a.Ledger.Decided(entries[:n], refusals)
		}
		if n < len(entries) {
			return a.session.SetAside(ctx, entries[n:], foreignEntry)
		}
	}
}

// setAsideAll puts the entries of another history into quarantine. They are never applied: no
// caller was told that a sale of theirs is durable. Their holds are taken again once the gate is
// open.
func (a *applier) setAsideAll(ctx context.Context) error {
	for from := "-"; ; {
		list, _, err := a.readPortion(ctx, from)
		if err != nil || len(list) == 0 {
			return err
		}
		b := &batch{}
		if err := b.add(list); err != nil {
			return err
		}
		from = "(" + b.entries[len(b.entries)-1].Text
		foreign, err := a.unapplied(ctx, b.entries)
		if err != nil {
			return err
		}
		if len(foreign) > 0 {
			if err := a.session.SetAside(ctx, foreign, "of a history that is not the ledger's"); err != nil {
				return err
			}
			a.orphans.note(foreign)
			a.Logger.Warn("events of another history were put into quarantine", "entries", len(foreign),
				"from", foreign[0].Text, "to", foreign[len(foreign)-1].Text)
		}
	}
}

// unapplied returns the entries that have an event whose result the ledger does not show.
func (a *applier) unapplied(ctx context.Context, entries []ledger.Entry) ([]ledger.Entry, error) {
	touched := ledger.RowKeysOf(ledger.EventRefs(entries))
	known, err := a.session.Records(ctx, ledger.Identifiers(ledger.SortedKeys(touched.Reservations))) // the ledger has no other ids
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(entries, func(e ledger.Entry) bool {
		if e.Fault != nil || ledger.IsAfter(e.ID, a.at) {
			return false
		}
		for i := range e.Events {
			step := e.Events[i].Step(e.Nonce)
			if r, there := known[step.ID]; !step.Operation && (!there || r.CreationNonce != step.CreationNonce || r.Version < step.Version) {
				return false
			}
		}
		return true
	}), nil
}

// loaded counts what a rebuild has loaded.
type loaded struct {
	levels, reservations, operations int
	locations                        []location.ID // in order
}

// load loads levels, reservations that are not resolved, reservations and operations of the
// retention, and purchase limits.
func (a *applier) load(ctx context.Context) (done loaded, err error) {
	locations := map[location.ID]bool{}
	var level ledger.LevelKey
	if done.levels, err = a.loadPages(ctx, func() (c shard.Chunk, err error) {
		c.Levels, err = a.session.Levels(ctx, level, levelsPerChunk)
		for i := range c.Levels {
			level = c.Levels[i].LevelName
			locations[level.Location] = true
		}
		return c, err
	}); err != nil {
		return done, err
	}
	done.locations = slices.Sorted(maps.Keys(locations))
	since := a.now() - a.Retention.Milliseconds()
	if done.reservations, err = a.loadReservations(ctx, since); err != nil {
		return done, err
	}
	operation := ""
	if done.operations, err = a.loadPages(ctx, func() (c shard.Chunk, err error) {
		if c.Operations, err = a.session.Operations(ctx, since, operation, operationsPerChunk); len(c.Operations) > 0 {
			operation = c.Operations[len(c.Operations)-1].ID
		}
		return c, err
	}); err != nil {
		return done, err
	}
	var limit wire.LimitKey
	_, err = a.loadPages(ctx, func() (c shard.Chunk, err error) {
		if c.Limits, err = a.session.Limits(ctx, limit, limitsPerChunk); len(c.Limits) > 0 {
			limit = c.Limits[len(c.Limits)-1].LimitKey
		}
		return c, err
	})
	return done, err
}

// loadReservations loads the reservations that are not resolved, and those resolved since a moment,
// Unix ms.
func (a *applier) loadReservations(ctx context.Context, since int64) (int, error) {
	var after ledger.LiveKey
	count := reservationsFirst
	live, err := a.loadPages(ctx, func() (c shard.Chunk, err error) {
		if c.Reservations, err = a.session.Live(ctx, after, count); len(c.Reservations) > 0 {
			last := &c.Reservations[len(c.Reservations)-1]
			after = ledger.LiveKey{Created: last.Record.Created, ID: last.ID}
			count = nextCount(c.Reservations)
		}
		return c, err
	})
	if err != nil {
		return live, err
	}
	resolved, err := a.loadPages(ctx, func() (c shard.Chunk, err error) {
		if c.Reservations, since, err = a.session.Rested(ctx, since, count); len(c.Reservations) > 0 {
			count = nextCount(c.Reservations)
		}
		return c, err
	})
	return live + resolved, err
}

// nextCount returns how many reservations the chunk after these has.
func nextCount(chunk []wire.ReservationRow) int {
	lines := 0
	for i := range chunk {
		lines += len(chunk[i].Record.Lines)
	}
	return min(reservationsPerChunk, 2*len(chunk), 1+linesPerChunk*len(chunk)/max(1, lines))
}

// loadPages loads the chunks that next returns, until one is empty. It returns the number of rows.
func (a *applier) loadPages(ctx context.Context, next func() (shard.Chunk, error)) (rows int, err error) {
	for {
		c, err := next()
		n := len(c.Levels) + len(c.Reservations) + len(c.Operations) + len(c.Limits)
		if err != nil || n == 0 {
			return rows, err
		}
		err = a.shard.LoadChunk(ctx, c)
		a.Point("chunk")
		if err != nil {
			return rows, err
		}
		rows += n
	}
}
