package audit_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestApply_Refuses refuses a plan in which anything was changed other than by deleting repairs.
func TestApply_Refuses(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := drifted(r)
	reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyStock, "TEE\x1fmoon", "4").Err())
	for name, c := range map[string]struct {
		change func(*audit.Plan)
		want   error
		said   string
	}{
		"version":                   {func(p *audit.Plan) { p.Version = 2 }, audit.ErrPlanInvalid, "its version is 2"},
		"prefix":                    {func(p *audit.Plan) { p.Prefix = "shop" }, audit.ErrPlanForeign, `its key prefix is "shop", and the prefix here is "holdfast"`},
		"another audit":             {func(p *audit.Plan) { p.Audit = "audit-1" }, audit.ErrPlanForeign, `the ledger has no audit "audit-1"`},
		"no audit":                  {func(p *audit.Plan) { p.Audit = "" }, audit.ErrPlanInvalid, "it names no audit"},
		"an audit that repaired":    {func(p *audit.Plan) { p.Audit = i.Audit(audit.Options{Repair: true, SKU: "none"}).ID }, audit.ErrPlanInvalid, "did not make a plan"},
		"an audit of another scope": {func(p *audit.Plan) { p.Audit = i.Audit(audit.Options{SKU: "none"}).ID }, audit.ErrPlanInvalid, "differs from the ledger's"},
		"actor":                     {func(p *audit.Plan) { p.Actor = "mallory" }, audit.ErrPlanInvalid, "differs from the ledger's"},
		"scope":                     {func(p *audit.Plan) { p.SKU = "TEE" }, audit.ErrPlanInvalid, "differs from the ledger's"},
		"time":                      {func(p *audit.Plan) { p.MadeAt = p.MadeAt.Add(time.Hour) }, audit.ErrPlanInvalid, "differs from the ledger's"},
		"twice":                     {func(p *audit.Plan) { p.Repairs = append(p.Repairs, p.Repairs[0]) }, audit.ErrPlanInvalid, "appears twice"},
		"unknown":                   {func(p *audit.Plan) { p.Repairs[0].ID = "feedfeedfeedfeed" }, audit.ErrPlanInvalid, "feedfeedfeedfeed does not belong"},
		"numbers":                   {func(p *audit.Plan) { n := int64(1000); p.Repairs[0].Units = n }, audit.ErrPlanInvalid, "it may be deleted, not changed"},
		"words":                     {func(p *audit.Plan) { p.Repairs[0].Would = "add -1 to available in Redis" }, audit.ErrPlanInvalid, "it may be deleted, not changed"},
		"another SKU":               {func(p *audit.Plan) { p.Repairs[0].SKU = "MUG" }, audit.ErrPlanInvalid, "it may be deleted, not changed"},
		"from left to repair":       {func(p *audit.Plan) { p.Left, p.Repairs = p.Repairs, nil }, audit.ErrPlanInvalid, "does not belong"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(i, audit.Options{})
			before := snapshot(r, i.Client)
			c.change(p)
			done, err := i.Auditor(nil).Apply(t.Context(), p, audit.ApplyOptions{})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.said) || done.Audit.ID != "" {
				t.Errorf("%+v, %v, want %v: %s", done, err, c.want, c.said)
			}
			if after := snapshot(r, i.Client); after != before {
				t.Errorf("Redis has changed from\n%s\nto\n%s", before, after)
			}
		})
	}
	p := plan(i, audit.Options{})
	if _, err := r.Pool.Exec(t.Context(), `delete from audits where id = $1`, p.Audit); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Auditor(nil).Apply(t.Context(), p, audit.ApplyOptions{}); !errors.Is(err, audit.ErrPlanForeign) {
		t.Errorf("the audit was deleted: %v", err)
	}
}

// TestDecodePlan refuses what is no plan, with the reason.
func TestDecodePlan(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	reconciletest.Must(t, (&audit.Plan{Version: audit.PlanVersion, Audit: "a-1"}).Encode(&file))
	for text, said := range map[string]string{
		"":                               "it is not a single JSON document",
		"[]":                             "it is not a single JSON document",
		file.String() + "{}":             "it is not a single JSON document",
		file.String()[:file.Len()/2]:     "it is not a single JSON document",
		"{}":                             "its version is 0, and this program supports 1",
		`{"version": 2, "later": true}`:  "its version is 2, and this program supports 1",
		`{"version": 1, "later": true}`:  `unknown field "later"`,
		`{"version": 1, "units": "all"}`: "cannot unmarshal string",
		`{"version": 1, "repairs": [{"id": "x", "kind": "counter_drift", "do": 1}]}`: `unknown field "do"`,
	} {
		if p, err := audit.DecodePlan(strings.NewReader(text)); !errors.Is(err, audit.ErrPlanInvalid) || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
	if p, err := audit.DecodePlan(&file); err != nil || p.Audit != "a-1" {
		t.Errorf("%+v, %v", p, err)
	}
}
