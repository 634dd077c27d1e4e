package ledger

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestProgress checks when a ledger counts as stalled, and when no longer.
func TestProgress(t *testing.T) {
	refused := errors.New("read-only")
	for name, test := range map[string]func(p *progress) []bool{
		"a refusal counts at once, until something is applied": func(p *progress) []bool {
			p.Failed(refused, "1-1", true)
			at := []bool{p.Stalled() == refused}
			p.Wrote(false)
			at = append(at, p.Stalled() == refused)
			p.Wrote(true)
			return append(at, p.Stalled() == nil)
		},
		"another process applies after the refusal": func(p *progress) []bool {
			p.seen("1-1", "a", 0)
			p.Failed(refused, "1-2", true)
			p.seen("1-2", "b", 0) // was applied before
			at := []bool{p.Stalled() == refused}
			p.seen("1-3", "c", 0)
			return append(at, p.Stalled() == nil)
		},
		"a call that hangs": func(p *progress) []bool {
			ended := p.Calling()
			time.Sleep(slowAfter)
			at := []bool{p.Stalled() == nil}
			time.Sleep(time.Millisecond)
			at = append(at, p.Stalled() != nil)
			p.Failed(errors.New("time-out"), "", false)
			ended()
			at = append(at, p.Stalled() != nil)
			p.Wrote(false)
			return append(at, p.Stalled() == nil)
		},
		"a session that is replaced": func(p *progress) []bool {
			p.Failed(errors.New("connection lost"), "1-1", false)
			time.Sleep(time.Second)
			at := []bool{p.Stalled() == nil}
			p.Wrote(true)
			time.Sleep(time.Hour)
			return append(at, p.Stalled() == nil)
		},
		"another process applies nothing, although calls wait": func(p *progress) []bool {
			p.seen("1-1", "noted 0", time.Millisecond)
			for n := range 5 {
				time.Sleep(time.Second)
				p.seen("1-1", fmt.Sprint("noted", n), 0) // the first call has left
			}
			at := []bool{p.Stalled() == errStuck}
			p.seen("1-2", "noted", 0)
			return append(at, p.Stalled() == nil)
		},
		"another process is idle": func(p *progress) []bool {
			for n := range 100 {
				p.seen("1-1", fmt.Sprint("noted", n), 0)
				time.Sleep(time.Second)
			}
			return []bool{p.Stalled() == nil}
		},
		"another process is silent": func(p *progress) []bool {
			p.seen("1-1", "noted", 0)
			time.Sleep(stillAfter + time.Millisecond)
			at := []bool{p.Stalled() == nil} // nobody has looked since
			p.seen("1-1", "noted", 0)
			at = append(at, p.Stalled() == errSilent)
			p.seen("1-1", "noted again", 0)
			return append(at, p.Stalled() == nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for n, right := range test(&progress{}) {
					if !right {
						t.Errorf("check %d fails", n+1)
					}
				}
			})
		})
	}
}
