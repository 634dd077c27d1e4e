package reconcile

import (
	"context"
	"fmt"

	"github.com/holdfast/holdfast/cache"
)

// moved is units of a level that came or left.
type moved struct {
	at     int64 // Unix ms
	onHand int64 // signed
}

// verbCount is what a movement is called by which a level was counted: nothing has come or left.
const verbCount cache.Verb = "count"

// isMoved says whether units have come or left by a movement, rather than been counted or written off.
func (m *movement) isMoved() bool {
	return m.delta.onHand != 0 && m.verb != verbCount && m.verb != cache.VerbRemove
}

// keepMoved keeps what came and left; m.mu is held.
func (m *Memory) keepMoved(movements []movement) {
	for i := range movements {
		if one := &movements[i]; one.isMoved() {
			m.moved[one.key] = append(m.moved[one.key], moved{at: one.at, onHand: one.delta.onHand})
		}
	}
}

// Since reads what is on hand of levels, and what came and left since a moment.
func (m *Memory) Since(_ context.Context, moment int64, levels []cache.LevelName) (cache.Since, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		return cache.Since{}, fmt.Errorf("%w: nothing was begun yet", cache.ErrRebuilding)
	}
	since := cache.Since{Epoch: m.at.Epoch, Sequence: m.at.Sequence, KeptFrom: m.keptFrom}
	for _, name := range levels {
		key := levelKey{name.SKU, name.Location}
		l := cache.LevelSince{OnHand: m.levels[key].onHand}
		for _, one := range m.moved[key] {
			if one.at > moment {
				l.Moved += one.onHand
			}
		}
		since.Levels = append(since.Levels, l)
	}
	return since, nil
}
