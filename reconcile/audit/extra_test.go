package audit_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestAudit_AsMany has Redis lack a level and a record, and have another of each: as many as the ledger has.
func TestAudit_AsMany(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("held", "TEE", 1)
	r.Quiesce()
	for key, names := range map[string][2]string{
		reconciletest.KeyStock: {"TEE\x1fberlin", "TEE\x1fmoon"}, reconciletest.KeyLevels: {"TEE\x1fberlin", "TEE\x1fmoon"}, reconciletest.KeyReservations: {"held", "extra"},
	} {
		value := i.Client.HGet(t.Context(), key, names[0])
		reconciletest.Must(t, value.Err())
		reconciletest.Must(t, i.Client.HSet(t.Context(), key, names[1], value.Val()).Err())
		reconciletest.Must(t, i.Client.HDel(t.Context(), key, names[0]).Err())
	}
	done := i.Audit(audit.Options{})
	reconciletest.ExpectFindings(t, i.Ledger, done.ID,
		"level_missing TEE berlin: nothing > 9 on hand 10 committed 0 safety 0 backorder 0, open",
		"level_unknown TEE moon: 9 on hand 10 committed 0 safety 0 backorder 0 > nothing, open",
		"reservation_missing held: nothing > held v1 1 TEE berlin, open",
		"reservation_extra extra: held v1 1 TEE berlin > nothing, open")
}

// TestAudit_AtRest has records that came to rest be compared, and those that only Redis has at rest.
func TestAudit_AtRest(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	for _, id := range []string{"released", "altered", "held"} {
		i.Reserve(id, "TEE", 1)
	}
	for _, id := range []string{"released", "altered"} {
		_, err := i.Store.Release(t.Context(), cache.TransitionRequest{ID: id})
		reconciletest.Must(t, err)
	}
	r.Quiesce()
	alter(i, "altered", func(record *cache.Record) { record.Version++ })
	alter(i, "held", func(record *cache.Record) { record.State = cache.StateReleased })
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, "none", "").Err())
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, "\xff", "x").Err())
	done := i.Audit(audit.Options{})
	if done.Reservations != 5 || done.Drift != 4 {
		t.Errorf("%+v", done)
	}
	reconciletest.ExpectFindings(t, i.Ledger, done.ID,
		`reservation_extra "\xff": "x" > nothing, open`, `reservation_extra none: "" > nothing, open`,
		"reservation_state altered: released v3 1 TEE berlin > released v2 1 TEE berlin, open",
		"reservation_state held: released v1 1 TEE berlin > held v1 1 TEE berlin, open")
}

// latecomer is a ledger that has what Redis has, once it is asked how far it is, or which reservations are live.
type latecomer struct {
	ledger.Ledger
	come func()
}

func (l latecomer) Position(ctx context.Context) (ledger.PositionRow, bool, error) {
	l.come()
	return l.Ledger.Position(ctx)
}

func (l latecomer) Live(ctx context.Context, ids []string) ([]string, error) {
	l.come()
	return l.Ledger.Live(ctx, ids)
}

// TestAudit_Late has a reservation be compared that was made before the audit began, and comes to be live in the ledger
// while it is on.
func TestAudit_Late(t *testing.T) {
	r := reconciletest.NewRig(t)
	i, hold, goOn := r.HeldUp()
	r.Quiesce()
	hold()
	i.Reserve("late", "TEE", 1)
	alter(i, "late", func(record *cache.Record) { record.Version++ })
	come := sync.OnceFunc(func() {
		goOn()
		r.Quiesce()
	})
	a := i.Auditor(func(a *audit.Auditor) { a.Ledger = latecomer{a.Ledger, come} })
	done, err := a.Run(context.Background(), audit.Options{SKU: "TEE"})
	if err != nil || done.Drift != 1 {
		t.Errorf("%+v, %v, %v", done, err, reconciletest.Findings(t, i.Ledger, done.ID))
	}
}

// alter changes a record of Redis by hand.
func alter(i *reconciletest.Instance, id string, change func(*cache.Record)) {
	i.Rig.TB.Helper()
	text, err := i.Client.HGet(context.Background(), reconciletest.KeyReservations, id).Result()
	reconciletest.MustDo(i.Rig.TB, err)
	record, err := cache.DecodeRecord(text)
	reconciletest.MustDo(i.Rig.TB, err)
	change(&record)
	reconciletest.MustDo(i.Rig.TB, i.Client.HSet(context.Background(), reconciletest.KeyReservations, id, record.Encode()).Err())
}

// noticing is a ledger that tells when it was asked for its live reservations.
type noticing struct {
	ledger.Ledger
	noticed *atomic.Bool
}

func (n noticing) LiveAt(ctx context.Context, after ledger.LiveKey, s ledger.Scope, limit int) (ledger.AsOf, []ledger.RecordRow, error) {
	n.noticed.Store(true)
	return n.Ledger.LiveAt(ctx, after, s, limit)
}

// TestAudit_Moved has a reservation come to rest and be forgotten once it was compared: there are as many records as were
// the same, and one that nobody knows is among them.
func TestAudit_Moved(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("held", "TEE", 1)
	r.Quiesce()
	var live atomic.Bool
	move := sync.OnceFunc(func() {
		extra := i.Client.HGet(context.Background(), reconciletest.KeyReservations, "held").Val()
		_, err := i.Store.Release(context.Background(), cache.TransitionRequest{ID: "held"})
		reconciletest.MustDo(t, err)
		reconciletest.MustDo(t, i.Client.HDel(context.Background(), reconciletest.KeyReservations, "held").Err())
		reconciletest.MustDo(t, i.Client.HSet(context.Background(), reconciletest.KeyReservations, "extra", extra).Err())
	})
	a := i.Auditor(func(a *audit.Auditor) {
		a.Ledger = noticing{a.Ledger, &live}
		a.Point = func(name string) {
			if name == "read" && live.Load() {
				move()
			}
		}
	})
	done, err := a.Run(t.Context(), audit.Options{})
	reconciletest.Must(t, err)
	reconciletest.ExpectFindings(t, i.Ledger, done.ID, "reservation_extra extra: held v1 1 TEE berlin > nothing, open")
}

// TestAudit_AsManyDeadlines has Redis lack a deadline, and have one that nobody knows: as many as it should have.
func TestAudit_AsManyDeadlines(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("held", "TEE", 1)
	i.Reserve("lost", "TEE", 1)
	r.Quiesce()
	reconciletest.Must(t, i.Client.ZAdd(t.Context(), reconciletest.KeyDeadlines, redis.Z{Score: 1e12, Member: "orphan"}).Err())
	if done := i.Audit(audit.Options{}); done.Drift != 1 || done.Deadlines != 3 {
		t.Errorf("one more: %+v, %v", done, reconciletest.Findings(t, i.Ledger, done.ID))
	}
	reconciletest.Must(t, i.Client.ZRem(t.Context(), reconciletest.KeyDeadlines, "lost").Err())
	done := i.Audit(audit.Options{})
	if done.Drift != 2 || done.Deadlines != 2 {
		t.Errorf("%+v, %v", done, reconciletest.Findings(t, i.Ledger, done.ID))
	}
}

// TestAudit_Score has a deadline of another time, and one of half a millisecond more, be no deadline of their records.
func TestAudit_Score(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	for id, more := range map[string]float64{"early": -1, "half": 0.5} {
		i.Reserve(id, "TEE", 1)
		reconciletest.Must(t, i.Client.ZIncrBy(t.Context(), reconciletest.KeyDeadlines, more, id).Err())
	}
	r.Quiesce()
	done := i.Audit(audit.Options{})
	if done.Drift != 2 {
		t.Errorf("%+v, %v", done, reconciletest.Findings(t, i.Ledger, done.ID))
	}
}
