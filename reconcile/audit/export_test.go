package audit

import (
	"context"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Names that the tests of this package use.
const (
	ReadBehind      = readBehind
	WhyChanged      = whyChanged
	WhyEntangled    = whyEntangled
	WhyInconsistent = whyInconsistent
	WhyShared       = whyShared
	WhyTooMuch      = whyTooMuch
)

var WhyNeverRepaired = whyNeverRepaired

type Reading = reading

func (g *reading) Behind(at wire.Position) ([]ledger.Entry, bool) { return g.behind(at) }

func NameAll(entries []ledger.Entry) bool { return nameAll(entries) }

// At has f called each time a step reaches a point.
func (a *Auditor) At(point string, f func()) {
	a.point = func(name string) {
		if name == point {
			f()
		}
	}
}

func (o *Options) Refuse(units, onHand int64) error { return o.refuse(units, onHand) }

func Counts(s *ledger.Side) wire.LevelCounts { return countsOf(s) }

func (a *Auditor) Drift(ctx context.Context, audit string, most int) ([]ledger.Finding, error) {
	return a.drift(ctx, audit, most)
}
