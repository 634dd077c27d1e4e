package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// plan makes a plan and passes it through its file format.
func plan(i *reconciletest.Instance, o audit.Options) *audit.Plan {
	i.Rig.TB.Helper()
	p, _, err := i.Auditor(nil).Plan(context.Background(), o)
	if err != nil {
		i.Rig.TB.Fatal(err)
	}
	var file bytes.Buffer
	reconciletest.Must(i.Rig.TB, p.Encode(&file))
	p, err = audit.DecodePlan(&file)
	reconciletest.Must(i.Rig.TB, err)
	return p
}

// apply applies a plan, which must not fail.
func apply(i *reconciletest.Instance, p *audit.Plan, o audit.ApplyOptions) audit.Applied {
	i.Rig.TB.Helper()
	done, err := i.Auditor(nil).Apply(context.Background(), p, o)
	if err != nil || done.Audit.State != ledger.AuditDone {
		i.Rig.TB.Fatalf("%+v, %v", done, err)
	}
	return done
}

// planned lists a plan in words and in order: each repair, and what is left and why.
func planned(p *audit.Plan) (words []string) {
	for i := range p.Repairs {
		r := &p.Repairs[i]
		words = append(words, fmt.Sprintf("%s %s: %s", r.Kind, r.About(), r.Would))
	}
	for i := range p.Left {
		r := &p.Left[i]
		words = append(words, fmt.Sprintf("%s %s: %s", r.Kind, r.About(), r.Why))
	}
	slices.Sort(words)
	return words
}

// outcomes lists the outcomes of a plan in words and in order.
func outcomes(a audit.Applied) (words []string) {
	for i := range a.Repairs {
		r := &a.Repairs[i]
		word := fmt.Sprintf("%s %s: %s", r.Kind, r.About(), r.Outcome)
		if r.Reason != "" {
			word += ", " + r.Reason
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return words
}

func expectWords(tb testing.TB, what string, got []string, want ...string) {
	tb.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		tb.Errorf("%s:\n  %s\nwant:\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// deleteRepairs deletes the repairs of a kind from a plan.
func deleteRepairs(p *audit.Plan, tb testing.TB, kind ledger.FindingKind) {
	tb.Helper()
	before := len(p.Repairs)
	p.Repairs = slices.DeleteFunc(p.Repairs, func(r audit.Planned) bool { return r.Kind == kind })
	if len(p.Repairs) == before {
		tb.Fatalf("the plan has no %s", kind)
	}
}

// snapshot returns all that Redis has, without the stream, once the ledger has applied everything.
func snapshot(r *reconciletest.Rig, c *redis.Client) string {
	r.TB.Helper()
	r.Quiesce()
	var parts []string
	for _, key := range []string{reconciletest.KeyStock, reconciletest.KeyLevels, reconciletest.KeyReservations, reconciletest.KeyLimits} {
		fields, err := c.HGetAll(context.Background(), key).Result()
		reconciletest.Must(r.TB, err)
		for name, value := range fields {
			if name != "expire_until" && name != "sealed" && name != "{seal}" { // the first moves by itself
				parts = append(parts, fmt.Sprintf("%s %q %q", key, name, value))
			}
		}
	}
	members, err := c.ZRangeWithScores(context.Background(), reconciletest.KeyDeadlines, 0, -1).Result()
	reconciletest.Must(r.TB, err)
	for _, m := range members {
		if m.Member == "{seal}" {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %q %.0f", reconciletest.KeyDeadlines, m.Member, m.Score))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n")
}
