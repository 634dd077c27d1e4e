package reconcile

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// How much a rebuild loads in one call: a script of about a millisecond.
const (
	levelsPerChunk       = 1000
	reservationsPerChunk = 500
	operationsPerChunk   = 1000
	limitsPerChunk       = 1000
)

// rebuild makes Redis anew from the ledger, under the next epoch: it closes the gate, applies the tail
// that continues what the ledger has, keeps any other for a person, drops everything, loads, and opens.
// Whoever is stopped half-way finds a higher epoch, and is refused.
func (t *tail) rebuild(ctx context.Context, there bool, why string) error {
	started := time.Now()
	if there {
		t.Logger.Warn("rebuilding redis from the ledger", "why", why)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := t.shard.CloseGate(ctx, false); err != nil {
		return err
	}
	var from *cache.Position
	if there {
		if err := t.drain(ctx); err != nil {
			return err
		}
		before := t.at
		from = &before
	}
	if err := t.inspect(ctx); err != nil {
		return err
	}
	t.Point("rebuild")
	to := cache.Position{
		Epoch: max(t.at.Epoch, t.seen.Epoch) + 1, Sequence: 1, Nonce: strconv.FormatUint(rand.Uint64(), 36),
		RunID: t.seen.RunID, ReplicationID: t.seen.ReplicationID, Shards: t.Shards, Prefix: t.Prefix, SeenAt: t.seen.Now,
	}
	if err := t.session.Begin(ctx, from, to); err != nil {
		return err
	}
	t.Point("begun")
	t.at = to
	if err := t.loadScripts(ctx); err != nil {
		return err
	}
	if err := t.shard.Begin(ctx, to.Nonce); err != nil {
		return err
	}
	loaded, err := t.load(ctx)
	if err != nil {
		return err
	}
	t.Point("loaded")
	if err := t.shard.Open(ctx, to.Epoch, loaded.locations, t.now()+expiryLease.Milliseconds()); err != nil {
		return err
	}
	done := "redis is initialised and open"
	if there {
		t.counters.rebuilds.Add(1)
		done = "redis is rebuilt and open"
	}
	t.works()
	t.Logger.Info(done, "epoch", to.Epoch, "levels", loaded.levels, "reservations", loaded.reservations,
		"operations", loaded.operations, "took", time.Since(started).Round(time.Millisecond).String())
	return t.holdAgain(ctx)
}

// loaded counts what a rebuild has loaded.
type loaded struct {
	levels, reservations, operations int
	locations                        []location.ID // in order
}

// load loads everything, chunk by chunk.
func (t *tail) load(ctx context.Context) (done loaded, err error) {
	places := map[location.ID]bool{}
	var after *cache.LevelRow
	for {
		rows, err := t.session.Levels(ctx, after, levelsPerChunk)
		if err != nil || len(rows) == 0 {
			if err != nil {
				return done, err
			}
			break
		}
		if err := t.loadChunk(ctx, cache.Chunk{Levels: rows}); err != nil {
			return done, err
		}
		for _, l := range rows {
			places[l.Location] = true
		}
		done.levels += len(rows)
		after = &rows[len(rows)-1]
	}
	for at := range places {
		done.locations = append(done.locations, at)
	}
	slices.Sort(done.locations)
	since := t.now() - t.Retention.Milliseconds()
	if done.reservations, err = t.loadReservations(ctx, since); err != nil {
		return done, err
	}
	if done.operations, err = t.loadOperations(ctx, since); err != nil {
		return done, err
	}
	return done, t.loadLimits(ctx)
}

func (t *tail) loadLimits(ctx context.Context) error {
	for after := (cache.LimitKey{}); ; {
		rows, err := t.session.Limits(ctx, after, limitsPerChunk)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := t.loadChunk(ctx, cache.Chunk{Limits: rows}); err != nil {
			return err
		}
		after = rows[len(rows)-1].LimitKey
	}
}

func (t *tail) loadReservations(ctx context.Context, since int64) (n int, err error) {
	var after *cache.ReservationRow
	for {
		rows, err := t.session.Live(ctx, after, reservationsPerChunk)
		if err != nil {
			return n, err
		}
		if len(rows) == 0 {
			break
		}
		if err := t.loadChunk(ctx, cache.Chunk{Reservations: rows}); err != nil {
			return n, err
		}
		n += len(rows)
		after = &rows[len(rows)-1]
	}
	for {
		rows, next, err := t.session.Rested(ctx, since, reservationsPerChunk)
		if err != nil || len(rows) == 0 {
			return n, err
		}
		if err := t.loadChunk(ctx, cache.Chunk{Reservations: rows}); err != nil {
			return n, err
		}
		n += len(rows)
		since = next
	}
}

func (t *tail) loadChunk(ctx context.Context, c cache.Chunk) error {
	err := t.shard.LoadChunk(ctx, c)
	t.Point("chunk")
	return err
}

func (t *tail) loadOperations(ctx context.Context, since int64) (n int, err error) {
	for after := ""; ; {
		rows, err := t.session.Operations(ctx, since, after, operationsPerChunk)
		if err != nil || len(rows) == 0 {
			return n, err
		}
		if err := t.loadChunk(ctx, cache.Chunk{Operations: rows}); err != nil {
			return n, err
		}
		n += len(rows)
		after = rows[len(rows)-1].ID
	}
}

// drain applies what the stream has after the last applied entry, if that is there: it is the same
// history. Any other is set aside.
func (t *tail) drain(ctx context.Context) error {
	applied, err := t.shard.LastApplied(ctx, t.at)
	if err != nil {
		return err
	}
	if !applied {
		return t.setAsideAll(ctx)
	}
	for {
		entries, err := t.read(ctx)
		if err != nil || len(entries) == 0 {
			return err
		}
		for i := range entries {
			if !entries[i].Of(t.at.Epoch) {
				if err := t.drainBatch(ctx, entries[:i]); err != nil {
					return err
				}
				return t.session.SetAside(ctx, entries[i:], "not written by a script of this epoch")
			}
		}
		if err := t.drainBatch(ctx, entries); err != nil {
			return err
		}
	}
}

// drainBatch applies entries; what is refused is settled when the next epoch begins.
func (t *tail) drainBatch(ctx context.Context, entries []ledger.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	last := &entries[len(entries)-1]
	to := t.at
	to.Sequence, to.Nonce = last.ID.Sequence, last.Nonce
	refusals, err := t.session.Apply(ctx, t.at, to, entries)
	if err != nil {
		return err
	}
	t.at = to
	t.Ledger.Decided(entries, refusals)
	return nil
}

// setAsideAll keeps what the ledger has not applied of another history: nothing of it is ever applied.
// Its sales were never acknowledged; its holds are taken anew once the gate is open.
func (t *tail) setAsideAll(ctx context.Context) error {
	for from := "-"; ; {
		list, err := t.shard.Entries(ctx, from, entriesMax)
		if err != nil || len(list) == 0 {
			return err
		}
		entries := make([]ledger.Entry, 0, len(list))
		for _, m := range list {
			e, err := ledger.ReadEntry(m)
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		foreign, err := t.unapplied(ctx, entries)
		if err != nil {
			return err
		}
		if len(foreign) > 0 {
			if err := t.session.SetAside(ctx, foreign, "of a history that is not the ledger's"); err != nil {
				return err
			}
			t.orphans.Note(foreign)
			t.Logger.Warn("events of another history were set aside", "entries", len(foreign),
				"from", foreign[0].Text, "to", foreign[len(foreign)-1].Text)
		}
		from = "(" + list[len(list)-1].ID
	}
}

// unapplied are the entries of which the ledger does not show every event.
func (t *tail) unapplied(ctx context.Context, entries []ledger.Entry) ([]ledger.Entry, error) {
	events := ledger.EventRefs(entries)
	known, err := t.session.Records(ctx, ledger.Identifiers(ledger.SortedKeys(ledger.RowKeysOf(events).Reservations))) // it has no other
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(entries, func(e ledger.Entry) bool {
		if e.Fault != nil || ledger.IsAfter(e.ID, t.at) {
			return false
		}
		for i := range e.Events {
			step := e.Events[i].Step(e.Nonce)
			if r, there := known[step.ID]; !step.Operation && (!there || r.Birth != step.Birth || r.Version < step.Version) {
				return false
			}
		}
		return true
	}), nil
}
