package shard

import (
	"testing"
	"time"
)

// TestDue checks that waiting requests are sent if no batch is in flight, if they fill a batch, or
// if the last batch is late.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		waiting, inFlight int
		sent              time.Duration // ago
		due               bool
	}{
		{0, 0, 0, false},
		{1, 0, 0, true},
		{1, 1, 0, false},
		{63, 1, 0, false},
		{64, 1, 0, true},
		{64, 2, 0, true},
		{1, 1, lateAfter + time.Second, true},
		{0, 1, lateAfter + time.Second, false},
	} {
		q := &queue{
			shard: &Shard{config: Config{BatchMax: 64}}, waiting: make([]*pending, c.waiting),
			inFlight: c.inFlight, sent: time.Now().Add(-c.sent),
		}
		if got := q.due(); got != c.due {
			t.Errorf("%d waiting, %d in flight, sent %v ago: due is %v", c.waiting, c.inFlight, c.sent, got)
		}
	}
}
