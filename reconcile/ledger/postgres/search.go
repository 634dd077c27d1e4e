package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Search reads a page of reservations, the newest first. Two round trips.
func (p *Ledger) Search(ctx context.Context, f cache.ReservationFilter, now int64) (rows []wire.ReservationRow, next string, err error) {
	query, args := searchQuery(&f, now)
	err = p.read(ctx, func(ctx context.Context) error {
		ids, err := collect(ctx, p.pages, pgx.RowTo[string], query, args...)
		if err != nil {
			return err
		}
		found, err := readRows(ctx, p.pages, ids)
		if err != nil {
			return err
		}
		rows, next = ledger.ReservationPageOf(ids, func(id string) *wire.ReservationRow { return found[id] }, f.Limit)
		return nil
	})
	return rows, next, err
}

// searchQuery returns the query of a search. Live and resolved reservations have an index each. A
// search for both reads a page of each, and keeps the first rows of the two.
func searchQuery(f *cache.ReservationFilter, now int64) (query string, args []any) {
	arg := func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	created, id, _ := wire.ReservationAfter(f.Cursor)
	where := fmt.Sprintf("(created_at, id) < (%s, %s)", arg(time.UnixMilli(created)), arg(id))
	if f.IDPrefix != "" {
		where += " and " + beginsWith("id", arg(f.IDPrefix))
	}
	if f.Order != "" {
		where += ` and "order" <> '' and "order" = ` + arg(f.Order)
	}
	if f.Customer != "" {
		where += ` and customer <> '' and customer = ` + arg(f.Customer)
	}
	if len(f.Channels) > 0 {
		where += " and channel = any(" + arg(f.Channels) + ")"
	}
	if lines := lineConditions(f, arg); lines != "" {
		where += " and id in (select reservation_id from reservation_lines where " + lines + ")"
	}
	limit := arg(f.Limit + 1)
	var parts []string
	for _, state := range stateConditions(f.State, arg, now) {
		parts = append(parts, fmt.Sprintf("(select id, created_at from reservations where %s and %s order by created_at desc, id desc limit %s)",
			state, where, limit))
	}
	return "select id from (" + strings.Join(parts, " union all ") + ") as found order by created_at desc, id desc limit " + limit, args
}

// beginsWith returns the condition that a column in the order of bytes begins with a prefix. No text
// sorts after 32 times the last character, so the prefix is a range that an index serves.
func beginsWith(column, prefix string) string {
	return fmt.Sprintf("%[1]s >= %[2]s and %[1]s <= %[2]s || repeat(chr(1114111), 32) and starts_with(%[1]s, %[2]s)", column, prefix)
}

func lineConditions(f *cache.ReservationFilter, arg func(any) string) string {
	var list []string
	if f.Line != "" {
		list = append(list, "line = "+arg(f.Line))
	}
	if f.SKU != "" {
		sku := arg(f.SKU)
		list = append(list, "(sku = "+sku+" or kit <> '' and kit = "+sku+")")
	}
	if f.Location != "" {
		list = append(list, arg(f.Location)+" = any(locations)")
	}
	return strings.Join(list, " and ")
}

// stateConditions returns a condition for each index that has reservations of a state. An overdue
// hold counts as expired.
func stateConditions(state cache.State, arg func(any) string, now int64) []string {
	const live, rest = "resolved_at is null", "resolved_at is not null and archived_at is null"
	switch state {
	case "":
		return []string{live, rest}
	case cache.StateHeld:
		return []string{live + " and state = 'held' and expires_at > " + arg(time.UnixMilli(now))}
	case cache.StateExpired:
		return []string{live + " and state = 'held' and expires_at <= " + arg(time.UnixMilli(now)), rest + " and state = 'expired'"}
	case cache.StateConfirmed:
		return []string{live + " and state = 'confirmed'"}
	default:
		return []string{rest + " and state = " + arg(string(state))}
	}
}
