package audit_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestAudit_EqualCounts removes a level and a record from Redis and adds another of each, so that
// the counts are equal.
func TestAudit_EqualCounts(t *testing.T) {
	t.Parallel()
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

// TestReservations_Resolved compares resolved records, and those that are resolved only in Redis.
func TestReservations_Resolved(t *testing.T) {
	t.Parallel()
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
	alter(i, "altered", func(record *wire.Record) { record.Version++ })
	alter(i, "held", func(record *wire.Record) { record.State = cache.StateReleased })
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

// catchUpLedger is a ledger that catches up with Redis when it is asked for its position or for
// live reservations.
type catchUpLedger struct {
	ledger.Ledger
	come func()
}

func (l catchUpLedger) Position(ctx context.Context) (ledger.PositionRow, bool, error) {
	l.come()
	return l.Ledger.Position(ctx)
}

func (l catchUpLedger) FilterLive(ctx context.Context, ids []string) ([]string, error) {
	l.come()
	return l.Ledger.FilterLive(ctx, ids)
}

// TestReservations_AppliedDuringAudit compares a reservation that was made before the audit, and
// that the ledger applies only during it.
func TestReservations_AppliedDuringAudit(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i, hold, goOn := r.HeldUp()
	r.Quiesce()
	hold()
	i.Reserve("late", "TEE", 1)
	alter(i, "late", func(record *wire.Record) { record.Version++ })
	come := sync.OnceFunc(func() {
		goOn()
		r.Quiesce()
	})
	a := i.Auditor(func(a *audit.Auditor) { a.Ledger = catchUpLedger{a.Ledger, come} })
	done, err := a.Run(context.Background(), audit.Options{SKU: "TEE"})
	if err != nil || done.Drift != 1 {
		t.Errorf("%+v, %v, %v", done, err, reconciletest.Findings(t, i.Ledger, done.ID))
	}
}

// alter changes a record in Redis by hand.
func alter(i *reconciletest.Instance, id string, change func(*wire.Record)) {
	i.Rig.TB.Helper()
	text, err := i.Client.HGet(context.Background(), reconciletest.KeyReservations, id).Result()
	reconciletest.Must(i.Rig.TB, err)
	record, err := wire.DecodeRecord(text)
	reconciletest.Must(i.Rig.TB, err)
	change(&record)
	reconciletest.Must(i.Rig.TB, i.Client.HSet(context.Background(), reconciletest.KeyReservations, id, record.Encode()).Err())
}

// watchedLedger is a ledger that notes when it was asked for its live reservations.
type watchedLedger struct {
	ledger.Ledger
	noticed *atomic.Bool
}

func (n watchedLedger) LiveAt(ctx context.Context, after ledger.LiveKey, s ledger.Scope, limit int) (ledger.AsOf, []ledger.RecordRow, error) {
	n.noticed.Store(true)
	return n.Ledger.LiveAt(ctx, after, s, limit)
}

// TestReservations_ReleasedDuringAudit forgets a reservation after it was compared, and adds an
// unknown record. Redis then has as many records as were compared, but the unknown one is found.
func TestReservations_ReleasedDuringAudit(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("held", "TEE", 1)
	r.Quiesce()
	var live atomic.Bool
	move := sync.OnceFunc(func() {
		extra := i.Client.HGet(context.Background(), reconciletest.KeyReservations, "held").Val()
		_, err := i.Store.Release(context.Background(), cache.TransitionRequest{ID: "held"})
		reconciletest.Must(t, err)
		reconciletest.Must(t, i.Client.HDel(context.Background(), reconciletest.KeyReservations, "held").Err())
		reconciletest.Must(t, i.Client.HSet(context.Background(), reconciletest.KeyReservations, "extra", extra).Err())
	})
	a := i.Auditor(func(a *audit.Auditor) {
		a.Ledger = watchedLedger{a.Ledger, &live}
		a.At("read", func() {
			if live.Load() {
				move()
			}
		})
	})
	done, err := a.Run(t.Context(), audit.Options{})
	reconciletest.Must(t, err)
	reconciletest.ExpectFindings(t, i.Ledger, done.ID, "reservation_extra extra: held v1 1 TEE berlin > nothing, open")
}

// TestDeadlines_EqualCounts removes a deadline and adds an orphaned one, so that the counts are
// equal.
func TestDeadlines_EqualCounts(t *testing.T) {
	t.Parallel()
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

// TestDeadlines_Score finds deadlines whose score is not that of their record, by 1 ms and by half.
func TestDeadlines_Score(t *testing.T) {
	t.Parallel()
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
