package cache

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/redistest"
)

// workScript takes about as long as a call may keep Redis busy: 5 to 7 ms on the machine of
// docs/performance.md, whose speed varies. It does what the scripts do most: it splits text, makes
// tables and joins text.
const workScript = `
local parts = {}
for i = 1, 4500 do
  local name, units = string.match('TEE-' .. i .. '\31' .. i, '^([^\31]*)\31(%d+)$')
  parts[i] = { name = name, units = tonumber(units) }
end
local texts = {}
for i, part in ipairs(parts) do texts[i] = part.name .. '\31' .. part.units end
return #table.concat(texts, '\30')`

// sampled is one in how many shapes are measured outside the campaign, which measures all.
const sampled = 11

// workbench measures the work of single script calls on a real Redis, as a share of workScript.
type workbench struct {
	*bench
	sha   string
	seen  int             // shapes so far
	worst map[Verb]string // what the costliest call of a verb was
	share map[Verb]float64
}

func newWorkbench(t *testing.T) *workbench {
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = client.Close() })
	w := &workbench{bench: newBench(t, client, Options{Timeout: time.Minute, TTLMax: 24 * time.Hour}), worst: map[Verb]string{}, share: map[Verb]float64{}}
	w.stock("TEE@l0=1") // loads the scripts
	var err error
	if w.sha, err = client.ScriptLoad(w.ctx, workScript).Result(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for verb, share := range w.share {
			t.Logf("%-10s %3.0f %% of the bound: %s", verb, 100*share, w.worst[verb])
		}
	})
	return w
}

// cpu returns the processor time that Redis takes for calls.
func (w *workbench) cpu(calls func()) time.Duration {
	before, err1 := redistest.UsedCPU(w.ctx, w.client)
	calls()
	after, err2 := redistest.UsedCPU(w.ctx, w.client)
	if err1 != nil || err2 != nil {
		w.tb.Fatal(err1, err2)
	}
	return after - before
}

// sample is bounded for one in sampled shapes, or for all of them in the campaign.
func (w *workbench) sample(verb Verb, name string, prepare, call func()) {
	w.tb.Helper()
	if w.seen++; full || w.seen%sampled == 0 {
		w.bounded(verb, name, prepare, call)
	}
}

// bounded checks that one call does no more work than workScript, or than twice that outside the
// campaign. Other work on the machine makes both slower, not always alike. So it measures a call that
// seems too slow again, up to ten times.
func (w *workbench) bounded(verb Verb, name string, prepare, call func()) {
	w.tb.Helper()
	least, most := 0.0, 1.2 // the worst reserve takes 0.9 to 1.1
	if !full {
		most *= 2
	}
	for attempt := range 10 {
		prepare()
		cost := w.cpu(call)
		bound := w.cpu(func() { w.client.EvalSha(w.ctx, w.sha, nil) })
		if share := float64(cost) / float64(bound); attempt == 0 || share < least {
			least = share
		}
		if least < most {
			break
		}
	}
	if least >= most {
		w.tb.Errorf("%s of %s takes %.1f times as long as a call may", verb, name, least)
	}
	if least > w.share[verb] {
		w.share[verb], w.worst[verb] = least, name
	}
}
