package reconcile

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

// TestAudit_AsMany has Redis lack a level and a record, and have another of each: as many as the ledger has.
func TestAudit_AsMany(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("held", "TEE", 1)
	r.quiesce()
	for key, names := range map[string][2]string{
		keyStock: {"TEE\x1fberlin", "TEE\x1fmoon"}, keyLevels: {"TEE\x1fberlin", "TEE\x1fmoon"}, keyReservations: {"held", "extra"},
	} {
		value := i.client.HGet(t.Context(), key, names[0])
		must(t, value.Err())
		must(t, i.client.HSet(t.Context(), key, names[1], value.Val()).Err())
		must(t, i.client.HDel(t.Context(), key, names[0]).Err())
	}
	done := i.audit(AuditOptions{})
	expectFindings(t, i.ledger, done.ID,
		"level_missing TEE berlin: nothing > 9 on hand 10 committed 0 safety 0 backorder 0, open",
		"level_unknown TEE moon: 9 on hand 10 committed 0 safety 0 backorder 0 > nothing, open",
		"reservation_missing held: nothing > held v1 1 TEE berlin, open",
		"reservation_extra extra: held v1 1 TEE berlin > nothing, open")
}

// TestAudit_AtRest has records that came to rest be compared, and those that only Redis has at rest.
func TestAudit_AtRest(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	for _, id := range []string{"released", "altered", "held"} {
		i.reserve(id, "TEE", 1)
	}
	for _, id := range []string{"released", "altered"} {
		_, err := i.store.Release(t.Context(), cache.TransitionRequest{ID: id})
		must(t, err)
	}
	r.quiesce()
	i.alter("altered", func(record *cache.Record) { record.Version++ })
	i.alter("held", func(record *cache.Record) { record.State = cache.StateReleased })
	must(t, i.client.HSet(t.Context(), keyReservations, "none", "").Err())
	must(t, i.client.HSet(t.Context(), keyReservations, "\xff", "x").Err())
	done := i.audit(AuditOptions{})
	if done.Reservations != 5 || done.Drift != 4 {
		t.Errorf("%+v", done)
	}
	expectFindings(t, i.ledger, done.ID,
		`reservation_extra "\xff": "x" > nothing, open`, `reservation_extra none: "" > nothing, open`,
		"reservation_state altered: released v3 1 TEE berlin > released v2 1 TEE berlin, open",
		"reservation_state held: released v1 1 TEE berlin > held v1 1 TEE berlin, open")
}

// latecomer is a ledger that has what Redis has, once it is asked how far it is, or which reservations are live.
type latecomer struct {
	Ledger
	come func()
}

func (l latecomer) applied(ctx context.Context) (cache.Position, bool, error) {
	l.come()
	return l.Ledger.applied(ctx)
}

func (l latecomer) live(ctx context.Context, ids []string) ([]string, error) {
	l.come()
	return l.Ledger.live(ctx, ids)
}

// TestAudit_Late has a reservation be compared that was made before the audit began, and comes to be live in the ledger
// while it is on.
func TestAudit_Late(t *testing.T) {
	r := newRig(t)
	i, hold, goOn := r.heldUp()
	r.quiesce()
	hold()
	i.reserve("late", "TEE", 1)
	i.alter("late", func(record *cache.Record) { record.Version++ })
	come := sync.OnceFunc(func() {
		goOn()
		r.quiesce()
	})
	a := i.auditor(func(a *Auditor) { a.Ledger = latecomer{a.Ledger, come} })
	done, err := a.Run(context.Background(), AuditOptions{SKU: "TEE"})
	if err != nil || done.Drift != 1 {
		t.Errorf("%+v, %v, %v", done, err, findings(t, i.ledger, done.ID))
	}
}

// alter changes a record of Redis by hand.
func (i *instance) alter(id string, change func(*cache.Record)) {
	i.rig.tb.Helper()
	text, err := i.client.HGet(context.Background(), keyReservations, id).Result()
	mustDo(i.rig.tb, err)
	record, err := cache.DecodeRecord(text)
	mustDo(i.rig.tb, err)
	change(&record)
	mustDo(i.rig.tb, i.client.HSet(context.Background(), keyReservations, id, record.Encode()).Err())
}

// noticing is a ledger that tells when it was asked for its live reservations.
type noticing struct {
	Ledger
	noticed *atomic.Bool
}

func (n noticing) liveAt(ctx context.Context, after liveKey, s scope, limit int) (asOf, []recordRow, error) {
	n.noticed.Store(true)
	return n.Ledger.liveAt(ctx, after, s, limit)
}

// TestAudit_Moved has a reservation come to rest and be forgotten once it was compared: there are as many records as were
// the same, and one that nobody knows is among them.
func TestAudit_Moved(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("held", "TEE", 1)
	r.quiesce()
	var live atomic.Bool
	move := sync.OnceFunc(func() {
		extra := i.client.HGet(context.Background(), keyReservations, "held").Val()
		_, err := i.store.Release(context.Background(), cache.TransitionRequest{ID: "held"})
		mustDo(t, err)
		mustDo(t, i.client.HDel(context.Background(), keyReservations, "held").Err())
		mustDo(t, i.client.HSet(context.Background(), keyReservations, "extra", extra).Err())
	})
	a := i.auditor(func(a *Auditor) {
		a.Ledger = noticing{a.Ledger, &live}
		a.point = func(name string) {
			if name == "read" && live.Load() {
				move()
			}
		}
	})
	done, err := a.Run(t.Context(), AuditOptions{})
	must(t, err)
	expectFindings(t, i.ledger, done.ID, "reservation_extra extra: held v1 1 TEE berlin > nothing, open")
}

// TestAudit_AsManyDeadlines has Redis lack a deadline, and have one that nobody knows: as many as it should have.
func TestAudit_AsManyDeadlines(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("held", "TEE", 1)
	i.reserve("lost", "TEE", 1)
	r.quiesce()
	must(t, i.client.ZAdd(t.Context(), keyDeadlines, redis.Z{Score: 1e12, Member: "orphan"}).Err())
	if done := i.audit(AuditOptions{}); done.Drift != 1 || done.Deadlines != 3 {
		t.Errorf("one more: %+v, %v", done, findings(t, i.ledger, done.ID))
	}
	must(t, i.client.ZRem(t.Context(), keyDeadlines, "lost").Err())
	done := i.audit(AuditOptions{})
	if done.Drift != 2 || done.Deadlines != 2 {
		t.Errorf("%+v, %v", done, findings(t, i.ledger, done.ID))
	}
}

// TestAudit_Score has a deadline of another time, and one of half a millisecond more, be no deadline of their records.
func TestAudit_Score(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	for id, more := range map[string]float64{"early": -1, "half": 0.5} {
		i.reserve(id, "TEE", 1)
		must(t, i.client.ZIncrBy(t.Context(), keyDeadlines, more, id).Err())
	}
	r.quiesce()
	done := i.audit(AuditOptions{})
	if done.Drift != 2 {
		t.Errorf("%+v, %v", done, findings(t, i.ledger, done.ID))
	}
}
