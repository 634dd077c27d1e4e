package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// plan plans, by way of what a file would have.
func (i *instance) plan(o AuditOptions) *Plan {
	i.rig.tb.Helper()
	p, _, err := i.auditor(nil).Plan(context.Background(), o)
	if err != nil {
		i.rig.tb.Fatal(err)
	}
	var file bytes.Buffer
	mustDo(i.rig.tb, p.Encode(&file))
	p, err = DecodePlan(&file)
	mustDo(i.rig.tb, err)
	return p
}

// apply applies a plan, which must not fail.
func (i *instance) apply(p *Plan, o ApplyOptions) Applied {
	i.rig.tb.Helper()
	done, err := i.auditor(nil).Apply(context.Background(), p, o)
	if err != nil || done.Audit.State != AuditDone {
		i.rig.tb.Fatalf("%+v, %v", done, err)
	}
	return done
}

// planned lists a plan in words and in order: what would be done, and what is left and why.
func planned(p *Plan) (words []string) {
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

// outcomes lists what became of a plan in words and in order.
func outcomes(a Applied) (words []string) {
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

// strike takes the repairs of a kind out of a plan.
func (p *Plan) strike(tb testing.TB, kind FindingKind) {
	tb.Helper()
	before := len(p.Repairs)
	p.Repairs = slices.DeleteFunc(p.Repairs, func(r Planned) bool { return r.Kind == kind })
	if len(p.Repairs) == before {
		tb.Fatalf("the plan has no %s", kind)
	}
}

// counted is all that Redis has but the stream, once the ledger has all of that.
func (r *rig) counted(c *redis.Client) string {
	r.tb.Helper()
	r.quiesce()
	var parts []string
	for _, key := range []string{keyStock, keyLevels, keyReservations, keyLimits} {
		fields, err := c.HGetAll(context.Background(), key).Result()
		mustDo(r.tb, err)
		for name, value := range fields {
			if name != "expire_until" { // moves by itself
				parts = append(parts, fmt.Sprintf("%s %q %q", key, name, value))
			}
		}
	}
	members, err := c.ZRangeWithScores(context.Background(), keyDeadlines, 0, -1).Result()
	mustDo(r.tb, err)
	for _, m := range members {
		parts = append(parts, fmt.Sprintf("%s %q %.0f", keyDeadlines, m.Member, m.Score))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n")
}
