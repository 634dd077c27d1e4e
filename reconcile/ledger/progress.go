package ledger

import (
	"fmt"
	"sync"
	"time"
)

const (
	// slowAfter is how long a call of the session may take, or fail again and again, before the
	// ledger counts as stalled.
	slowAfter = 3 * time.Second
	// stillAfter is how long the position may stand still. The process that holds the lock notes at
	// least every second that it has checked Redis. If it dies, another takes over sooner than this.
	stillAfter = 5 * time.Second
)

var (
	errSilent = fmt.Errorf("nobody has written to it for %v", stillAfter)
	errStuck  = fmt.Errorf("nobody has applied to it for %v, although calls wait", stillAfter)
)

// progress tells whether the ledger is being written. A ledger that answers reads may still not be:
// it is read-only, its disk is full or slow, or somebody holds a lock. The zero value is ready.
type progress struct {
	mu sync.Mutex

	// Of the session in this process.
	calling  time.Time // when the call began that is under way; zero if none is
	failing  time.Time // when the first call failed since the last write; zero if none has
	err      error     // of the call that failed last
	refused  bool      // Postgres refuses it: waiting does not help
	applying bool      // it was an Apply: that others succeed proves nothing

	// Of the position, as any process sees it.
	applied, noted string    // the last applied entry, and when Redis was checked last
	moved, alive   time.Time // when these were first seen so
	wanted         time.Time // since when calls wait, and no entry was applied; zero if none do
	silent, stuck  bool      // what they were when they were seen last
}

// Calling records that a call of the session begins. The caller must call ended when it ends.
func (p *progress) Calling() (ended func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calling = time.Now()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calling = time.Time{}
	}
}

// Failed records that a call of the session failed. from is the position that it was to move, "" if
// it was to move none. refused says that waiting does not help, so the calls that wait are answered at once. Other
// failures count after slowAfter: the session is often replaced sooner.
func (p *progress) Failed(err error, from string, refused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing.IsZero() {
		if p.failing = p.calling; p.calling.IsZero() {
			p.failing = time.Now()
		}
	}
	p.err, p.refused = err, refused
	if from != "" {
		p.applied, p.applying = from, true
	}
}

// Wrote records that the session has written. applying says that it has applied entries.
func (p *progress) Wrote(applying bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if applying {
		p.applying, p.stuck, p.wanted = false, false, time.Time{}
	}
	if p.silent = false; !p.applying {
		p.failing, p.err, p.refused = time.Time{}, nil, false
	}
}

// seen records the position: the last applied entry, and when Redis was checked last. waiting is how
// long a call has waited, 0 if none waits.
func (p *progress) seen(applied, noted string, waiting time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.applied != applied {
		if p.applied != "" { // it was applied: by another process, or although the answer was lost
			p.failing, p.err, p.refused, p.applying = time.Time{}, nil, false, false
		}
		p.applied, p.moved, p.wanted = applied, now, time.Time{}
	}
	if p.noted != noted {
		p.noted, p.alive = noted, now
	}
	if waiting > 0 && p.wanted.IsZero() {
		p.wanted = now.Add(-waiting)
	}
	p.stuck = !p.wanted.IsZero() && now.Sub(p.wanted) > stillAfter
	p.silent = now.Sub(p.moved) > stillAfter && now.Sub(p.alive) > stillAfter
}

// Stalled returns why the ledger is not being written, nil if it is.
func (p *progress) Stalled() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stalled()
}

// stalled is Stalled for a caller that holds p.mu.
func (p *progress) stalled() error {
	long := func(since time.Time) bool { return !since.IsZero() && time.Since(since) > slowAfter }
	switch {
	case p.refused, long(p.failing):
		return p.err
	case long(p.calling):
		return fmt.Errorf("a call takes longer than %v", slowAfter)
	case p.stuck:
		return errStuck
	case p.silent:
		return errSilent
	}
	return nil
}
