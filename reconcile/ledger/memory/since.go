package memory

import (
	"context"
	"fmt"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// moved is a movement of units of a level.
type moved struct {
	at     int64 // Unix ms
	onHand int64 // signed
}

// isMoved reports whether units came or left, rather than were counted or written off.
func isMoved(m *ledger.Movement) bool {
	return m.Delta.OnHand != 0 && m.Verb != ledger.VerbCount && m.Verb != cache.VerbRemove
}

// keepMoved keeps the units that came and left; m.mu is held.
func (m *Ledger) keepMoved(movements []ledger.Movement) {
	for i := range movements {
		if one := &movements[i]; isMoved(one) {
			m.moved[one.Key] = append(m.moved[one.Key], moved{at: one.At, onHand: one.Delta.OnHand})
		}
	}
}

// Since reads the units on hand of levels, and how many units came and left since a moment.
func (m *Ledger) Since(_ context.Context, moment int64, levels []wire.LevelName) (cache.Since, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		return cache.Since{}, fmt.Errorf("%w: the ledger is empty; wait until a reconciler has begun", cache.ErrRebuilding)
	}
	since := cache.Since{Epoch: m.at.Epoch, Sequence: m.at.Sequence, KeptFrom: m.keptFrom}
	for _, name := range levels {
		l := cache.LevelSince{OnHand: m.levels[name].OnHand, Count: m.counts[name]}
		for _, one := range m.moved[name] {
			if one.at > moment {
				l.Moved += one.onHand
			}
		}
		since.Levels = append(since.Levels, l)
	}
	return since, nil
}
