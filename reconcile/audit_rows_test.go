package reconcile

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/cache"
)

// TestLedger_AuditNotes has a note be added to what is noted already.
func TestLedger_AuditNotes(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		b.begun()
		b.apply(b.entry(recount("count", 0, 5), marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(7, 5, 0)}})))
		for n, want := range []string{"first", "first; second"} {
			id := findingID(KindCounterDrift, "TEE\x1fberlin")
			if err := b.ledger.annotate(t.Context(), "a-1", []string{id, "none"}, []string{"first", "second"}[n]); err != nil {
				t.Fatal(err)
			}
			if list, err := b.ledger.AuditFindings(t.Context(), "a-1", FindingFilter{}, 9); err != nil || len(list) != 1 || list[0].Note != want {
				t.Errorf("%+v, %v, want %q", list, err, want)
			}
		}
	})
}

// TestLedger_AuditFrozen has a level below zero, on either side, be said to be frozen.
func TestLedger_AuditFrozen(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		b.begun()
		b.apply(b.entry(recount("count", 0, 5), marking(cache.Mark{Levels: []cache.MarkedLevel{teeAt(-1, 5, 0)}})))
		frozen := func(want bool) {
			t.Helper()
			list, err := b.ledger.AuditFindings(t.Context(), "a-1", FindingFilter{}, 9)
			if err != nil || len(list) != 1 || list[0].Frozen != want || (list[0].Note != "") != want {
				t.Errorf("%+v, %v", list, err)
			}
		}
		frozen(true)
		b.apply(b.entry(marking(cache.Mark{How: cache.HowAgain, Levels: []cache.MarkedLevel{teeAt(0, 5, 0)}})))
		frozen(false)
	})
}

// TestLedger_AuditLost has an audit that was not heard of be taken for failed when the next one begins, and
// only then; one that ends all the same is done.
func TestLedger_AuditLost(t *testing.T) {
	eachLedger(t, func(t *testing.T, b *bench) {
		b.begun()
		begin := func(id string) {
			t.Helper()
			if err := b.ledger.beginAudit(t.Context(), Audit{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		state := func(id string) string {
			t.Helper()
			a, err := b.ledger.Audit(t.Context(), id)
			if err != nil || a.FinishedAt.IsZero() != (a.State == AuditRunning) {
				t.Errorf("%+v, %v", a, err)
			}
			return a.State
		}
		begin("a-2")
		if state("a-1") != AuditRunning {
			t.Error("it was heard of just now")
		}
		b.unheardOf("a-1")
		begin("a-3")
		if state("a-1") != AuditFailed || state("a-2") != AuditRunning || state("a-3") != AuditRunning {
			t.Error("only the first was not heard of")
		}
		if err := b.ledger.endAudit(t.Context(), "a-1", ""); err != nil || state("a-1") != AuditDone {
			t.Errorf("%s, %v", state("a-1"), err)
		}
	})
}

// unheardOf has an audit be not heard of for long.
func (b *bench) unheardOf(id string) {
	b.tb.Helper()
	switch l := b.ledger.(type) {
	case *Memory:
		l.AgeAudit(id, auditLost+time.Second)
	case *Postgres:
		unheardOf(b.tb, l.pool, id)
	}
}

// unheardOf is the same of a ledger in Postgres.
func unheardOf(tb testing.TB, pool *pgxpool.Pool, id string) {
	tb.Helper()
	query := `update audits set seen_at = seen_at - $2::interval where id = $1`
	if _, err := pool.Exec(context.Background(), query, id, auditLost+time.Second); err != nil {
		tb.Fatal(err)
	}
}
