// Package memory keeps the ledger in this process, for the embedded engine. Nothing in it survives
// the process. It is the plainest implementation of the ledger: read it to learn what package
// postgres does.
package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Ledger is a ledger in this process. It is safe for concurrent use.
type Ledger struct {
	waiters *ledger.Waiters
	suspect chan struct{}
	loading sync.Mutex

	mu           sync.Mutex
	held         bool // the lock of the shard
	at           *ledger.PositionRow
	claimedAt    time.Time // when at.Claim was made
	levels       map[ledger.LevelKey]ledger.Level
	reservations map[string]ledger.Reservation
	operations   map[string]ledger.Operation
	limits       map[wire.LimitKey]int64
	counts       map[ledger.LevelKey]cache.Count // in force
	moved        map[ledger.LevelKey][]moved     // units that came and left, the oldest first
	keptFrom     int64                           // Unix ms: moved is complete since then
	refusals     []*refusal
	quarantined  []ledger.Quarantined
	directory    directory.Directory
	audits       audits
	changes      []ledger.Change
}

type refusal struct {
	ledger.Refusal
	settled bool
}

// Quarantined lists the quarantined events and entries.
func (m *Ledger) Quarantined() []ledger.Quarantined {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.quarantined)
}

// New returns an empty ledger.
func New() *Ledger {
	m := &Ledger{
		suspect: make(chan struct{}, 1), levels: map[ledger.LevelKey]ledger.Level{},
		reservations: map[string]ledger.Reservation{}, operations: map[string]ledger.Operation{}, limits: map[wire.LimitKey]int64{},
		audits: newAudits(),
		moved:  map[ledger.LevelKey][]moved{},
		counts: map[ledger.LevelKey]cache.Count{},
	}
	m.waiters = ledger.NewWaiters(m.look)
	return m
}

// Loading calls check with the shard's position while it holds the script-loading lock.
func (m *Ledger) Loading(ctx context.Context, check func(context.Context, wire.Position) error) error {
	m.loading.Lock()
	defer m.loading.Unlock()
	at, begun, err := m.Position(ctx)
	if err != nil {
		return err
	}
	if !begun {
		m.Suspect()
		return fmt.Errorf("%w: the ledger is empty; wait until a reconciler has begun", cache.ErrRebuilding)
	}
	return check(ctx, at.Position)
}

// Epoch returns the shard's epoch, 0 if nothing was ever applied.
func (m *Ledger) Epoch(ctx context.Context) (uint64, error) {
	at, _, err := m.Position(ctx)
	return at.Epoch, err
}

// Claim tells the process that holds the lock which server is the primary.
func (m *Ledger) Claim(_ context.Context, runID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at != nil {
		m.at.Claim, m.claimedAt = runID, time.Now()
	}
	return nil
}

// Suspect tells the reconciler that this may be a different Redis.
func (m *Ledger) Suspect() { ledger.Signal(m.suspect) }

// Suspicions returns the channel that Suspect sends to.
func (m *Ledger) Suspicions() <-chan struct{} { return m.suspect }

// Await waits until the ledger has decided a step.
func (m *Ledger) Await(ctx context.Context, a wire.Awaited) error { return m.waiters.Await(ctx, a) }

// Decided tells the calls that wait in this process what a batch has decided.
func (m *Ledger) Decided(entries []ledger.Entry, refusals []ledger.Refusal) {
	m.waiters.Decided(entries, refusals)
}

// Failure returns nil.
func (m *Ledger) Failure() error { return nil }

// Durable returns false.
func (m *Ledger) Durable() bool { return false }

func (m *Ledger) look(_ context.Context, list []wire.Awaited) ([]error, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	results := make([]error, len(list))
	for i := range list {
		results[i] = m.lookAt(&list[i])
	}
	return results, nil
}

func (m *Ledger) lookAt(a *wire.Awaited) error {
	for _, r := range m.refusals {
		if r.Step == a.Step {
			return r.Answer()
		}
	}
	if a.Operation {
		if op, there := m.operations[a.ID]; there && op.CreationNonce == a.CreationNonce {
			return nil
		}
	}
	epoch := uint64(0)
	if m.at != nil {
		epoch = m.at.Epoch
	}
	var known *wire.Record
	if r, there := m.reservations[a.ID]; there && !a.Operation {
		known = &r.Record
	}
	return ledger.Outcome(*a, epoch, known)
}

// Reservation reads a reservation with what only the ledger keeps of it.
func (m *Ledger) Reservation(_ context.Context, id string) (wire.ReservationRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, there := m.reservations[id]
	if !there {
		return wire.ReservationRow{}, fmt.Errorf("reservation %q: %w", id, cache.ErrNotFound)
	}
	return r.Row(id), nil
}

// ResolvedIDs reads the ids of resolved reservations, all in one page.
func (m *Ledger) ResolvedIDs(_ context.Context, after cache.ResolvedCursor, _ int) (ids []string, next cache.ResolvedCursor, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next = cache.ResolvedCursor{At: max(1, after.At)}
	for id, r := range m.reservations {
		if ledger.Resolved(r.Record.State) && r.At >= after.At {
			ids = append(ids, id)
			next.At = max(next.At, r.At+1)
		}
	}
	return ids, next, nil
}

// Details reads how a reservation is routed.
func (m *Ledger) Details(_ context.Context, id string) (wire.Details, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, there := m.reservations[id]
	if !there {
		return wire.Details{}, fmt.Errorf("reservation %q: %w", id, cache.ErrNotFound)
	}
	return r.Details(), nil
}

// Operation reads an operation.
func (m *Ledger) Operation(_ context.Context, id string) (cache.Operation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	op, there := m.operations[id]
	if !there {
		return cache.Operation{}, fmt.Errorf("operation %q: %w", id, cache.ErrNotFound)
	}
	return cache.Operation{Fingerprint: op.Fingerprint, At: time.UnixMilli(op.At).UTC()}, nil
}

// Levels reads the levels of a SKU.
func (m *Ledger) Levels(_ context.Context, sku location.SKU) ([]cache.Level, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []cache.Level
	for _, key := range m.sortedLevels() {
		if key.SKU == sku {
			list = append(list, ledger.Describe(ledger.LevelRow{LevelName: key, Level: m.levels[key]}))
		}
	}
	return list, nil
}

// LevelPage reads a page of levels.
func (m *Ledger) LevelPage(_ context.Context, f cache.LevelFilter) (cache.LevelPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var page cache.LevelPage
	if m.at != nil {
		page.Position = m.at.EntryID()
	}
	selects := f.Selects()
	sku, at, _ := wire.LevelAfter(f.Cursor)
	for _, key := range m.sortedLevels() {
		if ledger.CompareLevels(key, ledger.LevelKey{SKU: sku, Location: at}) <= 0 || !selects(key.SKU, key.Location) {
			continue
		}
		if len(page.Levels) == f.Limit {
			last := page.Levels[f.Limit-1]
			page.Next = wire.LevelCursor(last.SKU, last.Location)
			break
		}
		page.Levels = append(page.Levels, ledger.Describe(ledger.LevelRow{LevelName: key, Level: m.levels[key]}))
	}
	return page, nil
}

func (m *Ledger) sortedLevels() []ledger.LevelKey {
	return slices.SortedFunc(maps.Keys(m.levels), ledger.CompareLevels)
}
