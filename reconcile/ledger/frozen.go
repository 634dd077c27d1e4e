package ledger

import "fmt"

// Freeze says whether a level is below zero, now or once it is repaired: nothing is reserved from it then.
func (f *Finding) Freeze() {
	f.Frozen = f.OfCounter() && (f.Redis.below() || f.Ledger.below())
}

// below says whether a side has less than nothing available.
func (s *Side) below() bool { return s != nil && s.Available != nil && *s.Available < 0 }

// whyFrozen says why nothing is sold from a level, and until when; "" where it is not frozen.
func (f *Finding) whyFrozen() string {
	switch {
	case !f.Frozen:
		return ""
	case !f.Ledger.below():
		return "below zero in Redis: nothing is sold from it until it is repaired"
	case f.Redis != nil && f.Redis.Available != nil && *f.Redis.Available > 0:
		return fmt.Sprintf("below zero once it is repaired: %d units more are held or sold than there are; nothing is sold from it then, until "+
			"more is counted in or given back. Until it is repaired, Redis lets %d more be held, and what is too much is not confirmed",
			-*f.Ledger.Available, *f.Redis.Available)
	default:
		return fmt.Sprintf("below zero: %d units more are held or sold than there are; nothing is sold from it until more is counted in "+
			"or given back", -*f.Ledger.Available)
	}
}
