package shard

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
)

const (
	followEvery   = 250 * time.Millisecond // between two looks at the ledger's epoch
	followTimeout = 2 * time.Second        // of one look
)

// follow reads the ledger's epoch again and again, until Close. A primary that was cut off goes on
// answering, and does not know that the stock is sold elsewhere by now. The ledger does.
func (s *Shard) follow() {
	for Pause(s.open, followEvery) == nil {
		if s.generation.Load() == nil { // no script is in use
			continue
		}
		if epoch, err := s.askEpoch(); err == nil {
			s.supersede(epoch)
		}
	}
}

func (s *Shard) askEpoch() (epoch uint64, err error) {
	defer wire.Recovered(&err)
	ctx, cancel := context.WithTimeout(s.open, followTimeout)
	defer cancel()
	return s.config.Ledger.Epoch(ctx)
}

// supersede makes the scripts of earlier epochs unusable.
func (s *Shard) supersede(epoch uint64) {
	if epoch <= s.newest.Load() {
		return
	}
	s.newest.Store(epoch)
	if g := s.generation.Load(); g != nil && g.epoch < epoch {
		s.config.Logger.Info("the ledger has begun another epoch: the scripts of the one before are not used any more",
			"epoch", epoch, "before", g.epoch)
	}
}

// superseded returns an error if a later epoch has begun than that of g.
func (s *Shard) superseded(g *generation) error {
	if newest := s.newest.Load(); g.epoch < newest {
		return fmt.Errorf("%w: epoch %d has begun, and the answer is of epoch %d", wire.ErrRebuilding, newest, g.epoch)
	}
	return nil
}
