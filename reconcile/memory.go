package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// Memory is a ledger in this process, for the embedded engine: nothing in it survives. It is how to
// read what Postgres does.
type Memory struct {
	waiters *waiters
	suspect chan struct{}
	loading sync.Mutex

	mu           sync.Mutex
	held         bool // the lock of the shard
	at           *position
	levels       map[levelKey]level
	reservations map[string]reservation
	operations   map[string]operation
	limits       map[cache.LimitKey]int64
	moved        map[levelKey][]moved // what came and left, the oldest first
	keptFrom     int64                // Unix ms: all that came and left since is in moved
	refusals     []*memoryRefusal
	quarantined  []quarantined
	directory    Directory
	audits       memoryAudits
}

type memoryRefusal struct {
	refusal
	settled bool
}

// quarantined is an event, or with event -1 an entry, that is never applied.
type quarantined struct {
	entry  string // as it stands in the stream
	event  int
	reason string
	body   string
}

// Quarantined lists the events and entries that were put into quarantine.
func (m *Memory) Quarantined() []quarantined {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.quarantined)
}

// NewMemory makes an empty ledger.
func NewMemory() *Memory {
	m := &Memory{
		suspect: make(chan struct{}, 1), levels: map[levelKey]level{},
		reservations: map[string]reservation{}, operations: map[string]operation{}, limits: map[cache.LimitKey]int64{},
		audits: newMemoryAudits(),
		moved:  map[levelKey][]moved{},
	}
	m.waiters = newWaiters(m.look)
	return m
}

// Loading hands check the position.
func (m *Memory) Loading(ctx context.Context, check func(context.Context, cache.Position) error) error {
	m.loading.Lock()
	defer m.loading.Unlock()
	at, begun, err := m.applied(ctx)
	if err != nil {
		return err
	}
	if !begun {
		m.Suspect()
		return fmt.Errorf("%w: nothing was begun yet", cache.ErrRebuilding)
	}
	return check(ctx, at)
}

// Suspect tells the reconciler that Redis may be another.
func (m *Memory) Suspect() { signal(m.suspect) }

func (m *Memory) suspicions() <-chan struct{} { return m.suspect }

// signal sends where nothing was sent yet.
func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// Await waits until a step is decided.
func (m *Memory) Await(ctx context.Context, a cache.Awaited) error { return m.waiters.await(ctx, a) }

func (m *Memory) decided(entries []entry, refusals []refusal) { m.waiters.decided(entries, refusals) }

func (m *Memory) Healthy() bool { return true }

// Durable is false.
func (m *Memory) Durable() bool { return false }

func (m *Memory) look(_ context.Context, list []cache.Awaited) ([]error, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	results := make([]error, len(list))
	for i := range list {
		results[i] = m.lookAt(&list[i])
	}
	return results, nil
}

func (m *Memory) lookAt(a *cache.Awaited) error {
	for _, r := range m.refusals {
		if r.step == a.Step {
			return r.answer()
		}
	}
	if a.Operation {
		if op, there := m.operations[a.ID]; there && op.birth == a.Birth {
			return nil
		}
	}
	epoch := uint64(0)
	if m.at != nil {
		epoch = m.at.Epoch
	}
	var known *cache.Record
	if r, there := m.reservations[a.ID]; there && !a.Operation {
		known = &r.record
	}
	return shown(*a, epoch, known)
}

// Reservation reads one.
func (m *Memory) Reservation(_ context.Context, id string) (cache.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, there := m.reservations[id]
	if !there {
		return cache.Record{}, fmt.Errorf("reservation %q: %w", id, cache.ErrNotFound)
	}
	return r.record, nil
}

// Operation reads one.
func (m *Memory) Operation(_ context.Context, id string) (cache.Operation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	op, there := m.operations[id]
	if !there {
		return cache.Operation{}, fmt.Errorf("operation %q: %w", id, cache.ErrNotFound)
	}
	return cache.Operation{Fingerprint: op.fingerprint, At: time.UnixMilli(op.at).UTC()}, nil
}

// Levels reads those of a SKU.
func (m *Memory) Levels(_ context.Context, sku location.SKU) ([]cache.Level, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []cache.Level
	for _, key := range m.sortedLevels() {
		if key.sku == sku {
			list = append(list, m.levels[key].describe(key))
		}
	}
	return list, nil
}

// LevelPage reads a page of levels.
func (m *Memory) LevelPage(_ context.Context, f cache.LevelFilter) (cache.LevelPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var page cache.LevelPage
	sku, at := f.After()
	for _, key := range m.sortedLevels() {
		if compareLevels(key, levelKey{sku, at}) <= 0 || !strings.HasPrefix(string(key.sku), f.SKUPrefix) ||
			f.Location != "" && key.at != f.Location {
			continue
		}
		if len(page.Levels) == f.Limit {
			last := page.Levels[f.Limit-1]
			page.Next = cache.LevelCursor(last.SKU, last.Location)
			break
		}
		page.Levels = append(page.Levels, m.levels[key].describe(key))
	}
	return page, nil
}

func (m *Memory) sortedLevels() []levelKey {
	return slices.SortedFunc(maps.Keys(m.levels), compareLevels)
}

// describe is a level as callers read it, but for what is available.
func (l level) describe(key levelKey) cache.Level {
	return cache.Level{
		SKU: key.sku, Location: key.at, OnHand: l.onHand, Held: l.held, Committed: l.committed,
		SafetyStock: l.safetyStock, BackorderLimit: l.backorderLimit,
	}
}
