package reconcile

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

// TestLedger_AuditAsOf has rows be read with the position that they are of, and with whether a refused step is
// still to be undone.
func TestLedger_AuditAsOf(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		held, tooMuch := born("a", reserved(2), "n1"), born("b", reserved(9), "n1")
		expect := func(wantAt string, refused bool, want string) {
			t.Helper()
			at, levels, err := b.ledger.levelsAt(t.Context(), levelKey{}, scope{}, 9)
			if err != nil || !at.there || at.EntryID() != wantAt || at.refused != refused || fmt.Sprint(levels) != want {
				t.Errorf("%+v, %v, %v, want %s", at, levels, err, want)
			}
			of, records, err := b.ledger.recordsAt(t.Context(), []string{"a", "never"})
			if err != nil || !samePosition(of.Position, at.Position) || of.refused != refused || len(records) != 1 ||
				records["a"].Encode() != held.Record.Encode() {
				t.Errorf("%+v, %v, %v", of, records, err)
			}
		}
		first := b.entry(recount("count", 0, 5), held)
		b.apply(first)
		expect(first.id.String(), false, "[{{TEE berlin} {5 2 0 0 0}}]")
		second := b.entry(tooMuch, born("b", confirmed(2, 9), "n1"))
		b.apply(second)
		expect(second.id.String(), true, "[{{TEE berlin} {5 11 0 0 0}}]")
	})
}

// TestAudit_NoMark has what is the same on both sides be compared without a mark, and counted.
func TestAudit_NoMark(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("held", "TEE", 1)
	r.quiesce()
	a := i.auditor(func(a *Auditor) {
		a.point = func(name string) {
			if name == "marked" {
				t.Error("marked")
			}
		}
	})
	done, err := a.Run(t.Context(), AuditOptions{})
	if err != nil || done.Levels != 1 || done.Reservations != 1 || done.Deadlines != 1 {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestAudit_Between has a ledger that is behind by a step that makes a drift look right: what stands between the two
// sides is not compared by what they have, and the drift is found.
func TestAudit_Between(t *testing.T) {
	r := newRig(t)
	i, hold, goOn := r.heldUp()
	r.quiesce()
	hold()
	i.reserve("held", "TEE", 1)
	must(t, i.client.HIncrBy(t.Context(), keyStock, "TEE\x1fberlin", 1).Err())
	a := i.auditor(func(a *Auditor) {
		a.point = func(name string) {
			if name == "read" {
				goOn()
			}
		}
	})
	done, err := a.Run(context.Background(), AuditOptions{})
	must(t, err)
	expectFindings(t, i.ledger, done.ID,
		"counter_drift TEE berlin: 10 on hand 10 committed 0 safety 0 backorder 0 > 9 on hand 10 committed 0 safety 0 backorder 0, open")
}

// TestAudit_Younger has a reservation that was made after an audit began be the next one's, and one that claims to be
// of a time that is still to come be compared.
func TestAudit_Younger(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("old", "TEE", 1)
	r.quiesce()
	var once sync.Once
	a := i.auditor(func(a *Auditor) {
		a.point = func(name string) {
			if name == "read" {
				once.Do(func() {
					i.reserve("young", "TEE", 1)
					mustDo(t, i.client.HSet(context.Background(), keyReservations, "of the future",
						future(born("x", reserved(1), "n1"))).Err())
				})
			}
		}
	})
	done, err := a.Run(t.Context(), AuditOptions{})
	if err != nil || done.Reservations != 2 || done.Drift != 1 {
		t.Errorf("%+v, %v, %v", done, err, findings(t, i.ledger, done.ID))
	}
}

// TestAudit_YoungerThanMissing has a reservation that Redis lost be found where its time is still to come, as after a
// clock that was ahead, though others were made since the audit began.
func TestAudit_YoungerThanMissing(t *testing.T) {
	r := newRig(t)
	i := r.started(nil)
	i.reserve("of the future", "TEE", 1)
	r.quiesce()
	_, err := r.pool.Exec(t.Context(), `update reservations set created_at = now() + interval '2 hours'`)
	must(t, err)
	must(t, i.client.HDel(t.Context(), keyReservations, "of the future").Err())
	var once sync.Once
	a := i.auditor(func(a *Auditor) {
		a.Page = 1
		a.point = func(name string) {
			if name == "read" {
				once.Do(func() {
					i.reserve("young", "TEE", 1)
					r.quiesceOf("young")
				})
			}
		}
	})
	done, err := a.Run(t.Context(), AuditOptions{})
	if got := findings(t, i.ledger, done.ID); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "reservation_missing of the future: ") {
		t.Errorf("%v, %v", got, err)
	}
}

// TestReading_Behind has a reading know what stands between the two sides, or say that it does not.
func TestReading_Behind(t *testing.T) {
	at := cache.Position{Epoch: 2, Sequence: 7, Nonce: "n7"}
	message := func(id, nonce string) redis.XMessage {
		return redis.XMessage{ID: id, Values: map[string]any{"v": "1", "n": nonce, "e": "1"}}
	}
	many := []redis.XMessage{message("2-7", "n7")}
	for n := range readBehind + 1 {
		many = append(many, message(fmt.Sprint("2-", 8+n), "n"))
	}
	for name, c := range map[string]struct {
		epoch   uint64
		closed  bool
		entries []redis.XMessage
		want    int // entries; -1: it is not known
	}{
		"nothing":          {2, false, many[:1], 0},
		"some":             {2, false, many[:4], 3},
		"as many as read":  {2, false, many[:readBehind+1], readBehind},
		"more":             {2, false, many, -1},
		"another history":  {2, false, []redis.XMessage{message("2-7", "other")}, -1},
		"trimmed":          {2, false, []redis.XMessage{message("2-8", "n8")}, -1},
		"an empty stream":  {2, false, nil, -1},
		"another epoch":    {3, false, many[:1], -1},
		"a closed gate":    {2, true, many[:1], -1},
		"a foreign entry":  {2, false, []redis.XMessage{many[0], message("3-1", "n")}, -1},
		"one of no format": {2, false, []redis.XMessage{many[0], {ID: "2-8", Values: map[string]any{"n": "n"}}}, -1},
	} {
		g := reading{Reading: cache.Reading{Epoch: c.epoch, Open: !c.closed, Entries: c.entries}}
		list, known := g.behind(at)
		if known != (c.want >= 0) || known && len(list) != c.want {
			t.Errorf("%s: %d entries, known %v", name, len(list), known)
		}
	}
}

// TestReading_NameAll has steps that take units from where the record no longer names them be in doubt.
func TestReading_NameAll(t *testing.T) {
	for name, c := range map[string]struct {
		event cache.Event
		want  bool
	}{
		"a hold":            {born("a", reserved(2), "n1"), true},
		"a release":         {born("a", event(cache.VerbRelease, cache.StateHeld, rec(cache.StateReleased, 2, 2, 0)), "n1"), true},
		"a release of part": {born("a", event(cache.VerbRelease, cache.StateHeld, rec(cache.StateHeld, 2, 1, 0)), "n1"), false},
		"a move":            {born("a", event(cache.VerbMove, cache.StateHeld, rec(cache.StateHeld, 2, 2, 0)), "n1"), false},
		"a compensation":    {born("a", event(cache.VerbCompensate, cache.StateHeld, rec(cache.StateExpired, 2, 2, 0)), "n1"), false},
		"a mark":            {marking(cache.Mark{}), true},
	} {
		if got := nameAll([]entry{{events: []cache.Event{c.event}}}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// future is an event's record, made an hour from now.
func future(e cache.Event) string {
	e.Record.Created = time.Now().Add(time.Hour).UnixMilli()
	return e.Record.Encode()
}
