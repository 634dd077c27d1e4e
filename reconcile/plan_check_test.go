package reconcile

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestApply_Refuses has nothing of a plan be applied in which anything but a finding's absence is another.
func TestApply_Refuses(t *testing.T) {
	r := newRig(t)
	i := r.drifted()
	mustDo(t, i.client.HSet(t.Context(), keyStock, "TEE\x1fmoon", "4").Err())
	for name, c := range map[string]struct {
		change func(*Plan)
		want   error
		said   string
	}{
		"version":             {func(p *Plan) { p.Version = 2 }, ErrPlanInvalid, "its version is 2"},
		"prefix":              {func(p *Plan) { p.Prefix = "shop" }, ErrPlanForeign, `its keys begin with "shop", and those here with "holdfast"`},
		"another audit":       {func(p *Plan) { p.Audit = "audit-1" }, ErrPlanForeign, `the ledger has no audit "audit-1"`},
		"no audit":            {func(p *Plan) { p.Audit = "" }, ErrPlanInvalid, "it names no audit"},
		"an audit of repairs": {func(p *Plan) { p.Audit = i.audit(AuditOptions{Repair: true, SKU: "none"}).ID }, ErrPlanInvalid, "is no audit that a plan was made of"},
		"another's audit":     {func(p *Plan) { p.Audit = i.audit(AuditOptions{SKU: "none"}).ID }, ErrPlanInvalid, "is not what the ledger says"},
		"actor":               {func(p *Plan) { p.Actor = "mallory" }, ErrPlanInvalid, "is not what the ledger says"},
		"scope":               {func(p *Plan) { p.SKU = "TEE" }, ErrPlanInvalid, "is not what the ledger says"},
		"time":                {func(p *Plan) { p.MadeAt = p.MadeAt.Add(time.Hour) }, ErrPlanInvalid, "is not what the ledger says"},
		"twice":               {func(p *Plan) { p.Repairs = append(p.Repairs, p.Repairs[0]) }, ErrPlanInvalid, "is there twice"},
		"unknown":             {func(p *Plan) { p.Repairs[0].ID = "feedfeedfeedfeed" }, ErrPlanInvalid, "feedfeedfeedfeed is not there"},
		"numbers":             {func(p *Plan) { n := int64(1000); p.Repairs[0].Units = n }, ErrPlanInvalid, "it may be struck, not changed"},
		"words":               {func(p *Plan) { p.Repairs[0].Would = "add -1 to available in Redis" }, ErrPlanInvalid, "it may be struck, not changed"},
		"another SKU":         {func(p *Plan) { p.Repairs[0].SKU = "MUG" }, ErrPlanInvalid, "it may be struck, not changed"},
		"from left to repair": {func(p *Plan) { p.Left, p.Repairs = p.Repairs, nil }, ErrPlanInvalid, "is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			p := i.plan(AuditOptions{})
			before := r.counted(i.client)
			c.change(p)
			done, err := i.auditor(nil).Apply(t.Context(), p, ApplyOptions{})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.said) || done.Audit.ID != "" {
				t.Errorf("%+v, %v, want %v: %s", done, err, c.want, c.said)
			}
			if after := r.counted(i.client); after != before {
				t.Errorf("it has changed\n%s\nto\n%s", before, after)
			}
		})
	}
	p := i.plan(AuditOptions{})
	if _, err := r.pool.Exec(t.Context(), `delete from audits where id = $1`, p.Audit); err != nil {
		t.Fatal(err)
	}
	if _, err := i.auditor(nil).Apply(t.Context(), p, ApplyOptions{}); !errors.Is(err, ErrPlanForeign) {
		t.Errorf("the ledger has forgotten it: %v", err)
	}
}

// TestDecodePlan has what is no plan be refused with its reason.
func TestDecodePlan(t *testing.T) {
	var file bytes.Buffer
	mustDo(t, (&Plan{Version: PlanVersion, Audit: "a-1"}).Encode(&file))
	for text, said := range map[string]string{
		"":                               "it is not one JSON document",
		"[]":                             "it is not one JSON document",
		file.String() + "{}":             "it is not one JSON document",
		file.String()[:file.Len()/2]:     "it is not one JSON document",
		"{}":                             "its version is 0, and this program knows 1",
		`{"version": 2, "later": true}`:  "its version is 2, and this program knows 1",
		`{"version": 1, "later": true}`:  `unknown field "later"`,
		`{"version": 1, "units": "all"}`: "cannot unmarshal string",
		`{"version": 1, "repairs": [{"id": "x", "kind": "counter_drift", "do": 1}]}`: `unknown field "do"`,
	} {
		if p, err := DecodePlan(strings.NewReader(text)); !errors.Is(err, ErrPlanInvalid) || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
	if p, err := DecodePlan(&file); err != nil || p.Audit != "a-1" {
		t.Errorf("%+v, %v", p, err)
	}
}
