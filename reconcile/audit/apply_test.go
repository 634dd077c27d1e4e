package audit_test

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
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestApply_Concurrent applies one plan twice at once, after both have seen the drift. It is
// repaired once.
func TestApply_Concurrent(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	p := plan(i, audit.Options{})
	var both, ready sync.WaitGroup
	ready.Add(2)
	done := make([]audit.Applied, 2)
	for n := range done {
		both.Go(func() {
			a := i.Auditor(func(a *audit.Auditor) {
				a.At("repair", func() {
					ready.Done()
					ready.Wait()
				})
			})
			var err error
			if done[n], err = a.Apply(context.Background(), p, audit.ApplyOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n := done[0].Audit.Repaired + done[1].Audit.Repaired; n != 1 || i.Available("TEE") != 9 {
		t.Errorf("repaired %d times, %d are available: %v %v", n, i.Available("TEE"), outcomes(done[0]), outcomes(done[1]))
	}
	r.Check()
}

// TestApply_SalesSincePlan sells between plan and apply. Sales change both sides, so the plan still
// fits.
func TestApply_SalesSincePlan(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	p := plan(i, audit.Options{})
	i.Reserve("sold", "TEE", 3)
	i.Confirm("sold")
	done := apply(i, p, audit.ApplyOptions{})
	expectWords(t, "applied", outcomes(done), "counter_drift TEE at berlin: repaired")
	if n := i.Available("TEE"); n != 6 {
		t.Errorf("%d are available, want 6", n)
	}
	r.Check()
}

// TestApply_Deleted deletes repairs from a plan: a record, with the counter that it draws on, and a
// deadline that shares a member with another one. All of these are left.
func TestApply_Deleted(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	i.Count("MUG", "berlin", 10)
	i.Reserve("mug", "MUG", 2)
	r.Quiesce()
	text, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "mug").Result()
	reconciletest.Must(t, err)
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, "mug", strings.Replace(text, "held", "confirmed", 1)).Err())
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "MUG\x1fberlin", 3).Err())
	reconciletest.Must(t, i.Client.ZAdd(t.Context(), reconciletest.KeyDeadlines, redis.Z{Score: 2e13, Member: "one\x1ftwo"}).Err())

	p := plan(i, audit.Options{})
	for n := range p.Repairs {
		if needs := p.Repairs[n].Needs; p.Repairs[n].SKU == "MUG" && !slices.Equal(needs, []string{ledger.FindingID(ledger.KindReservationState, "mug")}) {
			t.Errorf("the counter of MUG needs %v", needs)
		}
	}
	deleteRepairs(p, t, ledger.KindReservationState)
	p.Repairs = slices.DeleteFunc(p.Repairs, func(r audit.Planned) bool { return r.Reservation == "two" })
	done := apply(i, p, audit.ApplyOptions{})
	expectWords(t, "applied", outcomes(done),
		"counter_drift MUG at berlin: left, "+audit.WhyEntangled, "counter_drift TEE at berlin: repaired",
		"deadline_orphaned one: left, "+audit.WhyShared)
	if i.Available("MUG") != 11 || i.Available("TEE") != 9 {
		t.Errorf("%d and %d are available, want 11 and 9", i.Available("MUG"), i.Available("TEE"))
	}
	if read, err := i.Store.Reservation(t.Context(), "mug"); err != nil || read.State != cache.StateConfirmed {
		t.Errorf("%+v, %v", read, err)
	}
	if score, err := i.Client.ZScore(t.Context(), reconciletest.KeyDeadlines, "one\x1ftwo").Result(); err != nil || score != 2e13 {
		t.Error(score, err)
	}
	apply(i, plan(i, audit.Options{}), audit.ApplyOptions{})
	r.Check()
}

// TestApply_Changed leaves findings that now need another repair than planned: a counter that
// drifted on, one that is unreadable by now, a record with another text. It repairs the rest.
func TestApply_Changed(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	for _, sku := range []string{"MUG", "CAP"} {
		i.Count(location.SKU(sku), "berlin", 10)
		i.Reserve(sku, location.SKU(sku), 2)
	}
	r.Quiesce()
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "MUG\x1fberlin", 1).Err())
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "CAP\x1fberlin", 1).Err())
	text, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "CAP").Result()
	reconciletest.Must(t, err)
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, "CAP", "broken").Err())
	p := plan(i, audit.Options{})

	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", 2).Err())
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, "MUG\x1fberlin", "x").Err())
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, "CAP", "broken otherwise").Err())
	before := snapshot(r, i.Client)
	done := apply(i, p, audit.ApplyOptions{})
	expectWords(t, "applied", outcomes(done),
		"counter_drift CAP at berlin: repaired", "counter_drift MUG at berlin: left, "+audit.WhyChanged,
		"counter_drift TEE at berlin: left, "+audit.WhyChanged, "reservation_state CAP: left, "+audit.WhyChanged)
	want := strings.ReplaceAll(before, `"CAP\x1fberlin" "9"`, `"CAP\x1fberlin" "8"`)
	if after := withoutRepairs(snapshot(r, i.Client)); after != withoutRepairs(want) {
		t.Errorf("there is\n%s\nwant\n%s", after, want)
	}
	notes, err := i.Ledger.AuditFindings(t.Context(), done.Audit.ID, ledger.FindingFilter{Kinds: []ledger.FindingKind{ledger.KindCounterDrift}, Open: true}, 9)
	if err != nil || len(notes) != 2 || notes[0].Note != audit.WhyChanged || notes[1].Note != audit.WhyChanged {
		t.Errorf("the notes in the ledger are wrong: %+v, %v", notes, err)
	}
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, "CAP", text).Err())
	apply(i, plan(i, audit.Options{}), audit.ApplyOptions{})
	r.Check()
}

// lastRepair matches the entry of a level's last repair, which Redis keeps with the counts.
var lastRepair = regexp.MustCompile(`(\\x1f\d+-\d+)"`)

func withoutRepairs(snapshot string) string { return lastRepair.ReplaceAllString(snapshot, `"`) }

// TestApply_TooMuch repairs nothing if the repairs left in a plan exceed the limit together.
func TestApply_TooMuch(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	i.Count("MUG", "berlin", 10)
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "MUG\x1fberlin", 3).Err())
	p := plan(i, audit.Options{})
	before := snapshot(r, i.Client)
	done, err := i.Auditor(nil).Apply(t.Context(), p, audit.ApplyOptions{MaxUnits: 7})
	if !errors.Is(err, audit.ErrTooMuch) || done.Audit.State != ledger.AuditFailed {
		t.Errorf("%+v, %v", done, err)
	}
	expectWords(t, "applied", outcomes(done),
		"counter_drift MUG at berlin: left, "+audit.WhyTooMuch, "counter_drift TEE at berlin: left, "+audit.WhyTooMuch)
	if after := snapshot(r, i.Client); after != before {
		t.Errorf("Redis has changed from\n%s\nto\n%s", before, after)
	}
	p.Repairs = slices.DeleteFunc(p.Repairs, func(r audit.Planned) bool { return r.SKU == "MUG" })
	done = apply(i, p, audit.ApplyOptions{MaxUnits: 5})
	expectWords(t, "applied", outcomes(done), "counter_drift TEE at berlin: repaired")
	i.Audit(audit.Options{Repair: true})
	r.Check()
}

// TestApply_OtherKind leaves what is now a finding of another kind. Once that is repaired, the
// planned one is gone.
func TestApply_OtherKind(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	p := plan(i, audit.Options{})
	reconciletest.Must(t, i.Client.HDel(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin").Err())
	expectWords(t, "applied", outcomes(apply(i, p, audit.ApplyOptions{})), "counter_drift TEE at berlin: left, "+audit.WhyChanged)
	i.Audit(audit.Options{Repair: true})
	expectWords(t, "applied", outcomes(apply(i, p, audit.ApplyOptions{})), "counter_drift TEE at berlin: gone")
	r.Check()
}

// TestApply_Killed kills apply at each of its points. Applying the plan again does the rest, and
// the killed audit ends as lost.
func TestApply_Killed(t *testing.T) {
	t.Parallel()
	for _, point := range stops() {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			i := drifted(r)
			reconciletest.Must(t, i.Client.HDel(t.Context(), reconciletest.KeyReservations, "held").Err())
			p := plan(i, audit.Options{})
			killed := i.Auditor(func(a *audit.Auditor) {
				a.At(point, func() {
					runtime.Goexit() // as a kill: the ledger does not hear of the end
				})
			})
			var ended sync.WaitGroup
			ended.Go(func() { _, _ = killed.Apply(context.Background(), p, audit.ApplyOptions{Actor: "killed"}) })
			ended.Wait()

			done := apply(i, p, audit.ApplyOptions{})
			for _, word := range outcomes(done) {
				if strings.Contains(word, "left") {
					t.Error(word)
				}
			}
			r.Check()
			half := auditBy(r, t, "killed")
			if half.State != ledger.AuditRunning {
				t.Fatalf("%+v", half)
			}
			ledgertest.Silence(t, r.Pool, half.ID)
			i.Audit(audit.Options{})
			if half = auditBy(r, t, "killed"); half.State != ledger.AuditFailed || half.Failure != ledger.WhyLost || !half.FinishedAt.Equal(half.SeenAt) {
				t.Errorf("%+v", half)
			}
		})
	}
}

// auditBy reads the audit of an actor.
func auditBy(r *reconciletest.Rig, t *testing.T, actor string) ledger.Audit {
	t.Helper()
	var id string
	reconciletest.Must(t, r.Pool.QueryRow(t.Context(), `select id from audits where actor = $1`, actor).Scan(&id))
	a, err := postgres.New(r.Pool, 0).Audit(t.Context(), id)
	reconciletest.Must(t, err)
	return a
}

// TestApply_Pages applies a plan page by page, with another auditor than made it.
func TestApply_Pages(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	for n := range 5 {
		i.Count(reconciletest.SKUOf(n), "berlin", 10)
		i.Reserve(fmt.Sprint("r", n), reconciletest.SKUOf(n), 1)
	}
	r.Quiesce()
	for n := range 5 {
		reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, string(reconciletest.SKUOf(n))+"\x1fberlin", 1).Err())
		reconciletest.Must(t, i.Client.HDel(t.Context(), reconciletest.KeyReservations, fmt.Sprint("r", n)).Err())
	}
	p := plan(i, audit.Options{})
	var progress []int64
	a := i.Auditor(func(a *audit.Auditor) {
		a.Page, a.Client, a.Ledger = 1, r.Client(), postgres.New(r.Pool, 0)
		a.Progress = func(done, total int64) { progress = append(progress, done, total) }
	})
	done, err := a.Apply(t.Context(), p, audit.ApplyOptions{})
	if err != nil || done.Audit.Repaired != 10 || len(progress) != 20 || progress[18] != 10 || progress[19] != 10 {
		t.Errorf("%+v, %v, %v", done.Audit, err, progress)
	}
	r.Check()
}
