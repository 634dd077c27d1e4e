package reconcile

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// TestApply_AtOnce has two who apply one plan at once repair it once: both have seen the drift.
func TestApply_AtOnce(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	p := i.plan(AuditOptions{})
	var both, ready sync.WaitGroup
	ready.Add(2)
	done := make([]Applied, 2)
	for n := range done {
		both.Go(func() {
			a := i.auditor(func(a *Auditor) {
				a.point = func(name string) {
					if name == "repairing" {
						ready.Done()
						ready.Wait()
					}
				}
			})
			var err error
			if done[n], err = a.Apply(context.Background(), p, ApplyOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n := done[0].Audit.Repaired + done[1].Audit.Repaired; n != 1 || i.available("TEE") != 9 {
		t.Errorf("repaired %d times, %d are available: %v %v", n, i.available("TEE"), outcomes(done[0]), outcomes(done[1]))
	}
	r.check()
}

// TestApply_Sold has what was sold between the plan and its application, which moves both sides, be no change.
func TestApply_Sold(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	p := i.plan(AuditOptions{})
	i.reserve("sold", "TEE", 3)
	i.confirm("sold")
	done := i.apply(p, ApplyOptions{})
	expectWords(t, "applied", outcomes(done), "counter_drift TEE at berlin: repaired")
	if n := i.available("TEE"); n != 6 {
		t.Errorf("%d are available, want 6", n)
	}
	r.check()
}

// TestApply_Struck has what was struck from a plan be left alone: a counter, a deadline that stands together
// with another one, and a record, with the counter that it draws on.
func TestApply_Struck(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	i.count("MUG", "berlin", 10)
	i.reserve("mug", "MUG", 2)
	r.quiesce()
	text, err := i.client.HGet(t.Context(), keyReservations, "mug").Result()
	mustDo(t, err)
	mustDo(t, i.client.HSet(t.Context(), keyReservations, "mug", strings.Replace(text, "held", "confirmed", 1)).Err())
	mustDo(t, i.client.HIncrBy(t.Context(), keyStock, "MUG\x1fberlin", 3).Err())
	mustDo(t, i.client.ZAdd(t.Context(), keyDeadlines, redis.Z{Score: 2e13, Member: "one\x1ftwo"}).Err())

	p := i.plan(AuditOptions{})
	for n := range p.Repairs {
		if needs := p.Repairs[n].Needs; p.Repairs[n].SKU == "MUG" && !slices.Equal(needs, []string{findingID(KindReservationState, "mug")}) {
			t.Errorf("the counter of MUG needs %v", needs)
		}
	}
	p.strike(t, KindReservationState)
	p.Repairs = slices.DeleteFunc(p.Repairs, func(r Planned) bool { return r.Reservation == "two" })
	done := i.apply(p, ApplyOptions{})
	expectWords(t, "applied", outcomes(done),
		"counter_drift MUG at berlin: left, "+whyEntangled, "counter_drift TEE at berlin: repaired",
		"deadline_orphaned one: left, "+whyShared)
	if i.available("MUG") != 11 || i.available("TEE") != 9 {
		t.Errorf("%d and %d are available, want 11 and 9", i.available("MUG"), i.available("TEE"))
	}
	if read, err := i.store.Reservation(t.Context(), "mug"); err != nil || read.State != cache.StateConfirmed {
		t.Errorf("%+v, %v", read, err)
	}
	if score, err := i.client.ZScore(t.Context(), keyDeadlines, "one\x1ftwo").Result(); err != nil || score != 2e13 {
		t.Error(score, err)
	}
	i.apply(i.plan(AuditOptions{}), ApplyOptions{})
	r.check()
}

// TestApply_Changed has what would be repaired by another change than was planned be left, and the rest be
// repaired: a counter that drifted on, one that is broken by now, a record with another text.
func TestApply_Changed(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	for _, sku := range []string{"MUG", "CAP"} {
		i.count(location.SKU(sku), "berlin", 10)
		i.reserve(sku, location.SKU(sku), 2)
	}
	r.quiesce()
	mustDo(t, i.client.HIncrBy(t.Context(), keyStock, "MUG\x1fberlin", 1).Err())
	mustDo(t, i.client.HIncrBy(t.Context(), keyStock, "CAP\x1fberlin", 1).Err())
	text, err := i.client.HGet(t.Context(), keyReservations, "CAP").Result()
	mustDo(t, err)
	mustDo(t, i.client.HSet(t.Context(), keyReservations, "CAP", "broken").Err())
	p := i.plan(AuditOptions{})

	mustDo(t, i.client.HIncrBy(t.Context(), keyStock, "TEE\x1fberlin", 2).Err())
	mustDo(t, i.client.HSet(t.Context(), keyStock, "MUG\x1fberlin", "x").Err())
	mustDo(t, i.client.HSet(t.Context(), keyReservations, "CAP", "broken otherwise").Err())
	before := r.counted(i.client)
	done := i.apply(p, ApplyOptions{})
	expectWords(t, "applied", outcomes(done),
		"counter_drift CAP at berlin: repaired", "counter_drift MUG at berlin: left, "+whyChanged,
		"counter_drift TEE at berlin: left, "+whyChanged, "reservation_state CAP: left, "+whyChanged)
	want := strings.ReplaceAll(before, `"CAP\x1fberlin" "9"`, `"CAP\x1fberlin" "8"`)
	if after := withoutRepairs(r.counted(i.client)); after != withoutRepairs(want) {
		t.Errorf("there is\n%s\nwant\n%s", after, want)
	}
	notes, err := i.ledger.AuditFindings(t.Context(), done.Audit.ID, FindingFilter{Kinds: []FindingKind{KindCounterDrift}, Open: true}, 9)
	if err != nil || len(notes) != 2 || notes[0].Note != whyChanged || notes[1].Note != whyChanged {
		t.Errorf("the ledger does not know why: %+v, %v", notes, err)
	}
	mustDo(t, i.client.HSet(t.Context(), keyReservations, "CAP", text).Err())
	i.apply(i.plan(AuditOptions{}), ApplyOptions{})
	r.check()
}

// lastRepair is the entry of a level's last repair, which is kept with its counts.
var lastRepair = regexp.MustCompile(`(\\x1f\d+-\d+)"`)

func withoutRepairs(counted string) string { return lastRepair.ReplaceAllString(counted, `"`) }

// TestApply_TooMuch has nothing be repaired where all that is left in a plan would be too much.
func TestApply_TooMuch(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	i.count("MUG", "berlin", 10)
	mustDo(t, i.client.HIncrBy(t.Context(), keyStock, "MUG\x1fberlin", 3).Err())
	p := i.plan(AuditOptions{})
	before := r.counted(i.client)
	done, err := i.auditor(nil).Apply(t.Context(), p, ApplyOptions{MaxUnits: 7})
	if !errors.Is(err, ErrTooMuch) || done.Audit.State != AuditFailed {
		t.Errorf("%+v, %v", done, err)
	}
	expectWords(t, "applied", outcomes(done),
		"counter_drift MUG at berlin: left, "+whyTooMuch, "counter_drift TEE at berlin: left, "+whyTooMuch)
	if after := r.counted(i.client); after != before {
		t.Errorf("it has changed\n%s\nto\n%s", before, after)
	}
	p.Repairs = slices.DeleteFunc(p.Repairs, func(r Planned) bool { return r.SKU == "MUG" })
	done = i.apply(p, ApplyOptions{MaxUnits: 5})
	expectWords(t, "applied", outcomes(done), "counter_drift TEE at berlin: repaired")
	i.audit(AuditOptions{Repair: true})
	r.check()
}

// TestApply_Kind has what is by now a finding of another kind be left, and once it is repaired be gone.
func TestApply_Kind(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	p := i.plan(AuditOptions{})
	mustDo(t, i.client.HDel(t.Context(), keyStock, "TEE\x1fberlin").Err())
	expectWords(t, "applied", outcomes(i.apply(p, ApplyOptions{})), "counter_drift TEE at berlin: left, "+whyChanged)
	i.audit(AuditOptions{Repair: true})
	expectWords(t, "applied", outcomes(i.apply(p, ApplyOptions{})), "counter_drift TEE at berlin: gone")
	r.check()
}

// TestApply_Killed has whoever applies a plan be killed half-way, at each of its points: to apply it again
// does the rest, and what was killed does not run for ever.
func TestApply_Killed(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"marked", "repairing", "records repaired", "counters repaired"} {
		t.Run(point, func(t *testing.T) {
			r := newRig(t)
			i := r.drifted()
			mustDo(t, i.client.HDel(t.Context(), keyReservations, "held").Err())
			p := i.plan(AuditOptions{})
			killed := i.auditor(func(a *Auditor) {
				a.point = func(name string) {
					if name == point {
						runtime.Goexit() // ends it as a kill does: nobody says to the ledger that it ended
					}
				}
			})
			var ended sync.WaitGroup
			ended.Go(func() { _, _ = killed.Apply(context.Background(), p, ApplyOptions{Actor: "killed"}) })
			ended.Wait()

			done := i.apply(p, ApplyOptions{})
			for _, word := range outcomes(done) {
				if strings.Contains(word, "left") {
					t.Error(word)
				}
			}
			r.check()
			half := r.applyOf(t, "killed")
			if half.State != AuditRunning {
				t.Fatalf("%+v", half)
			}
			unheardOf(t, r.pool, half.ID)
			i.audit(AuditOptions{})
			if half = r.applyOf(t, "killed"); half.State != AuditFailed || half.Failure != whyLost || !half.FinishedAt.Equal(half.SeenAt) {
				t.Errorf("%+v", half)
			}
		})
	}
}

// applyOf reads the audit of an actor.
func (r *rig) applyOf(t *testing.T, actor string) Audit {
	t.Helper()
	var id string
	mustDo(t, r.pool.QueryRow(t.Context(), `select id from audits where actor = $1`, actor).Scan(&id))
	a, err := NewPostgres(r.pool, 0).Audit(t.Context(), id)
	mustDo(t, err)
	return a
}

// TestApply_Pages has a plan be applied page by page, by another auditor than made it.
func TestApply_Pages(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	for n := range 5 {
		i.count(skuOf(n), "berlin", 10)
		i.reserve(fmt.Sprint("r", n), skuOf(n), 1)
	}
	r.quiesce()
	for n := range 5 {
		mustDo(t, i.client.HIncrBy(t.Context(), keyStock, string(skuOf(n))+"\x1fberlin", 1).Err())
		mustDo(t, i.client.HDel(t.Context(), keyReservations, fmt.Sprint("r", n)).Err())
	}
	p := i.plan(AuditOptions{})
	var progress []int64
	a := i.auditor(func(a *Auditor) {
		a.Page, a.Client, a.Ledger = 1, r.client(), NewPostgres(r.pool, 0)
		a.Progress = func(done, total int64) { progress = append(progress, done, total) }
	})
	done, err := a.Apply(t.Context(), p, ApplyOptions{})
	if err != nil || done.Audit.Repaired != 10 || len(progress) != 20 || progress[18] != 10 || progress[19] != 10 {
		t.Errorf("%+v, %v, %v", done.Audit, err, progress)
	}
	r.check()
}
