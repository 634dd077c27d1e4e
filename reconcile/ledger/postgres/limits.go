package postgres

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// writeLimits writes the limit counts that changed.
func writeLimits(set *ledger.WorkingSet, batch *pgx.Batch) {
	const query = `
insert into limit_counts (limit_id, customer, units)
select * from unnest($1::text[], $2::text[], $3::bigint[])
on conflict on constraint limit_counts_key do update set units = excluded.units`
	keys := slices.SortedFunc(maps.Keys(set.ChangedLimits), ledger.CompareLimits)
	if len(keys) == 0 {
		return
	}
	limits, customers := limitColumns(keys)
	batch.Queue(query, limits, customers, ledger.Column(keys, func(k wire.LimitKey) int64 { return set.Limits[k] }))
}

// keptLimit is a purchase limit that counts a line, as JSON in the column limits.
type keptLimit struct {
	ID          string  `json:"id"`
	PerCustomer int64   `json:"per_customer"`       // the most units, also of a limit that names an identity
	Each        int64   `json:"each"`               // units that count as one
	Identity    *string `json:"identity,omitempty"` // that it names; nil is the reservation's customer

	FreesOnReturn bool `json:"frees_on_return,omitempty"`
}

func keptLimitOf(m wire.RecordLimit) keptLimit {
	k := keptLimit{ID: m.ID, PerCustomer: m.Most, Each: m.Each, FreesOnReturn: m.FreesOnReturn}
	if m.Named {
		k.Identity = &m.Identity
	}
	return k
}

func (k keptLimit) record() wire.RecordLimit {
	m := wire.RecordLimit{ID: k.ID, Most: k.PerCustomer, Each: k.Each, FreesOnReturn: k.FreesOnReturn}
	if k.Identity != nil {
		m.Named, m.Identity = true, *k.Identity
	}
	return m
}

// limitsText returns the limits that count a line, as JSON, or "" if there are none.
func (l keptLine) limitsText() string {
	if len(l.Limits) == 0 {
		return ""
	}
	raw, err := json.Marshal(ledger.Column(l.Limits, keptLimitOf))
	if err != nil {
		panic("postgres: encode limits: " + err.Error())
	}
	return string(raw)
}

// decodeLimits is the inverse of keptLine.limitsText.
func decodeLimits(text string) ([]wire.RecordLimit, error) {
	if text == "" {
		return nil, nil
	}
	var list []keptLimit
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	return ledger.Column(list, keptLimit.record), nil
}
