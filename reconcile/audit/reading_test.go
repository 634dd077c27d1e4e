package audit_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestReading_NoCheckpoint sends no checkpoint if a reading shows that both sides agree, and counts
// what it compared.
func TestReading_NoCheckpoint(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("held", "TEE", 1)
	r.Quiesce()
	a := i.Auditor(func(a *audit.Auditor) {
		a.At("checkpoint", func() {
			t.Error("checkpoint")
		})
	})
	done, err := a.Run(t.Context(), audit.Options{})
	if err != nil || done.Levels != 1 || done.Reservations != 1 || done.Deadlines != 1 {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestReading_LedgerBehind finds a drift that looks right while the ledger is one entry behind.
func TestReading_LedgerBehind(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i, hold, goOn := r.HeldUp()
	r.Quiesce()
	hold()
	i.Reserve("held", "TEE", 1)
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "TEE\x1fberlin", 1).Err())
	a := i.Auditor(func(a *audit.Auditor) {
		a.At("read", func() {
			goOn()
		})
	})
	done, err := a.Run(context.Background(), audit.Options{})
	reconciletest.Must(t, err)
	reconciletest.ExpectFindings(t, i.Ledger, done.ID,
		"counter_drift TEE berlin: 10 on hand 10 committed 0 safety 0 backorder 0 > 9 on hand 10 committed 0 safety 0 backorder 0, open")
}

// TestReservations_MadeDuringAudit ignores a reservation made after the audit began, but compares
// one that claims a time in the future.
func TestReservations_MadeDuringAudit(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("old", "TEE", 1)
	r.Quiesce()
	var once sync.Once
	a := i.Auditor(func(a *audit.Auditor) {
		a.At("read", func() {
			once.Do(func() {
				i.Reserve("young", "TEE", 1)
				reconciletest.Must(t, i.Client.HSet(context.Background(), reconciletest.KeyReservations, "of the future",
					inFuture(ledgertest.Born("x", ledgertest.Reserved(1), "n1"))).Err())
			})
		})
	})
	done, err := a.Run(t.Context(), audit.Options{})
	if err != nil || done.Reservations != 2 || done.Drift != 1 {
		t.Errorf("%+v, %v, %v", done, err, reconciletest.Findings(t, i.Ledger, done.ID))
	}
}

// TestReservations_MissingFromFuture finds a missing reservation with a time in the future, as a
// fast clock leaves it, though others were made during the audit.
func TestReservations_MissingFromFuture(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("of the future", "TEE", 1)
	r.Quiesce()
	_, err := r.Pool.Exec(t.Context(), `update reservations set created_at = now() + interval '2 hours'`)
	reconciletest.Must(t, err)
	reconciletest.Must(t, i.Client.HDel(t.Context(), reconciletest.KeyReservations, "of the future").Err())
	var once sync.Once
	a := i.Auditor(func(a *audit.Auditor) {
		a.Page = 1
		a.At("read", func() {
			once.Do(func() {
				i.Reserve("young", "TEE", 1)
				awaitApplied(r, "young")
			})
		})
	})
	done, err := a.Run(t.Context(), audit.Options{})
	if got := reconciletest.Findings(t, i.Ledger, done.ID); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "reservation_missing of the future: ") {
		t.Errorf("%v, %v", got, err)
	}
}

// TestReading_Behind knows the entries between the two sides, or that some are missing.
func TestReading_Behind(t *testing.T) {
	t.Parallel()
	at := wire.Position{Epoch: 2, Sequence: 7, Nonce: "n7"}
	message := func(id, nonce string) redis.XMessage {
		return redis.XMessage{ID: id, Values: map[string]any{"v": "1", "n": nonce, "e": "1"}}
	}
	many := []redis.XMessage{message("2-7", "n7")}
	for n := range audit.ReadBehind + 1 {
		many = append(many, message(fmt.Sprint("2-", 8+n), "n"))
	}
	for name, c := range map[string]struct {
		epoch   uint64
		closed  bool
		entries []redis.XMessage
		want    int // entries; -1: it is not known
	}{
		"nothing":         {2, false, many[:1], 0},
		"some":            {2, false, many[:4], 3},
		"as many as read": {2, false, many[:audit.ReadBehind+1], audit.ReadBehind},
		"more":            {2, false, many, -1},
		"another history": {2, false, []redis.XMessage{message("2-7", "other")}, -1},
		"trimmed":         {2, false, []redis.XMessage{message("2-8", "n8")}, -1},
		"an empty stream": {2, false, nil, -1},
		"another epoch":   {3, false, many[:1], -1},
		"a closed gate":   {2, true, many[:1], -1},
		"a foreign entry": {2, false, []redis.XMessage{many[0], message("3-1", "n")}, -1},
		"no format":       {2, false, []redis.XMessage{many[0], {ID: "2-8", Values: map[string]any{"n": "n"}}}, -1},
	} {
		g := audit.Reading{Reading: shard.Reading{Epoch: c.epoch, Open: !c.closed, Entries: c.entries}}
		list, known := g.Behind(at)
		if known != (c.want >= 0) || known && len(list) != c.want {
			t.Errorf("%s: %d entries, known %v", name, len(list), known)
		}
	}
}

// TestReading_NameAll is false for steps that take units from a level that the record no longer
// names.
func TestReading_NameAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event wire.Event
		want  bool
	}{
		"a hold":            {ledgertest.Born("a", ledgertest.Reserved(2), "n1"), true},
		"a release":         {ledgertest.Born("a", ledgertest.Event(cache.VerbRelease, cache.StateHeld, ledgertest.RecordOf(cache.StateReleased, 2, 2, 0)), "n1"), true},
		"a release of part": {ledgertest.Born("a", ledgertest.Event(cache.VerbRelease, cache.StateHeld, ledgertest.RecordOf(cache.StateHeld, 2, 1, 0)), "n1"), false},
		"a move":            {ledgertest.Born("a", ledgertest.Event(cache.VerbMove, cache.StateHeld, ledgertest.RecordOf(cache.StateHeld, 2, 2, 0)), "n1"), false},
		"a compensation":    {ledgertest.Born("a", ledgertest.Event(wire.VerbCompensate, cache.StateHeld, ledgertest.RecordOf(cache.StateExpired, 2, 2, 0)), "n1"), false},
		"a checkpoint":      {ledgertest.CheckpointEvent(wire.Checkpoint{}), true},
	} {
		if got := audit.NameAll([]ledger.Entry{{Events: []wire.Event{c.event}}}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// inFuture returns an event's record, made an hour from now.
func inFuture(e wire.Event) string {
	e.Record.Created = time.Now().Add(time.Hour).UnixMilli()
	return e.Record.Encode()
}
