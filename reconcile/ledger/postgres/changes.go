package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/reconcile/ledger"
)

// selectChanges reads a page of each kind, and keeps the first rows of all. $1 and $2 are the place of the
// change before, $3 is the number of rows.
const selectChanges = `
select at, kind, verb, id, actor, on_behalf_of, request_id, reason from (
    (select applied_at as at, 'stock' as kind, verb, id, actor, on_behalf_of, request_id, reason from operations
        where applied_at <= $1 and (applied_at < $1 or 'stock:' || verb || ':' || id collate "C" < $2)
        order by applied_at desc, 'stock:' || verb || ':' || id collate "C" desc limit $3)
    union all
    (select applied_at, 'directory', 'apply', version::text, actor, on_behalf_of, request_id, '' from directories
        where applied_at < $1 or applied_at = $1 and 'directory:apply:' || version::text collate "C" < $2)
    union all
    (select started_at, 'audit', 'repair', id, actor, on_behalf_of, request_id, '' from audits
        where repair and (started_at < $1 or started_at = $1 and 'audit:repair:' || id collate "C" < $2))
    union all
    (select created_at, 'key', 'create', id, created_by, '', '', name from api_keys
        where created_at < $1 or created_at = $1 and 'key:create:' || id collate "C" < $2)
    union all
    (select revoked_at, 'key', 'revoke', id, revoked_by, '', '', name from api_keys
        where revoked_at < $1 or revoked_at = $1 and 'key:revoke:' || id collate "C" < $2)
) as found
order by at desc, kind || ':' || verb || ':' || id collate "C" desc limit $3`

// Changes reads a page of changes, the newest first. One round trip.
func (p *Ledger) Changes(ctx context.Context, after ledger.Change, limit int) ([]ledger.Change, error) {
	at := after.At
	if at.IsZero() {
		at = time.Now().Add(time.Hour) // clocks differ
	}
	return within(ctx, p.read, func(ctx context.Context) ([]ledger.Change, error) {
		return collect(ctx, p.pages, scanChange, selectChanges, at, after.Kind+":"+after.Verb+":"+after.ID, limit)
	})
}

func scanChange(row pgx.CollectableRow) (c ledger.Change, err error) {
	err = row.Scan(&c.At, &c.Kind, &c.Verb, &c.ID, &c.Actor, &c.OnBehalfOf, &c.RequestID, &c.Reason)
	c.At = c.At.UTC()
	return c, err
}
