package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
)

// Directory reads the current version of the directory; changed is false if that is known. One
// round trip.
func (p *Ledger) Directory(ctx context.Context, known int64) (d directory.Directory, changed bool, err error) {
	err = p.read(ctx, func(ctx context.Context) error {
		d, changed, err = readDirectory(ctx, p.pool, known)
		return err
	})
	return d, changed, err
}

// readDirectory reads the current version, unless that is known.
func readDirectory(ctx context.Context, db querier, known int64) (d directory.Directory, changed bool, err error) {
	const query = `
select version, body::text, actor, on_behalf_of, request_id, applied_at from directories
where version = (select max(version) from directories) and version <> $1`
	rows, _ := db.Query(ctx, query, known) // its error is that of the rows
	d, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (d directory.Directory, err error) {
		var body string
		if err := row.Scan(&d.Version, &body, &d.Actor, &d.OnBehalfOf, &d.RequestID, &d.AppliedAt); err != nil {
			return d, err
		}
		d.AppliedAt = d.AppliedAt.UTC()
		return d, json.Unmarshal([]byte(body), &d.Directory)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return directory.Directory{}, false, nil
	}
	return d, err == nil, err
}

// ApplyDirectory makes a directory the current version, in one transaction. Concurrent calls wait
// for each other.
func (p *Ledger) ApplyDirectory(ctx context.Context, d location.Directory, ifVersion int64, by cache.By) (applied directory.Directory, changed bool, err error) {
	next, err := directory.Checked(d)
	if err != nil {
		return directory.Directory{}, false, err
	}
	var same bool
	var refusal error
	err = p.read(ctx, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `lock table directories in share row exclusive mode`); err != nil {
				return err
			}
			current, _, err := readDirectory(ctx, tx, 0)
			if err != nil {
				return err
			}
			if same, refusal = directory.Replaces(&current, &next, ifVersion); refusal != nil || same {
				applied = current
				return nil
			}
			if refusal, err = unused(ctx, tx, directory.Removed(&current.Directory, &next)); err != nil || refusal != nil {
				return err
			}
			applied, err = insertDirectory(ctx, tx, directory.Directory{Directory: next, Version: current.Version + 1, By: by})
			return err
		})
	})
	if err := errors.Join(refusal, err); err != nil {
		return directory.Directory{}, false, err
	}
	return applied, !same, nil
}

// unused returns a refusal if locations still have held or committed units.
func unused(ctx context.Context, tx pgx.Tx, locations []location.ID) (refusal, err error) {
	const query = `
select coalesce(sum(held), 0)::bigint, coalesce(sum(committed), 0)::bigint from levels where location = any($1)`
	if len(locations) == 0 {
		return nil, nil
	}
	var held, committed int64
	if err := tx.QueryRow(ctx, query, locations).Scan(&held, &committed); err != nil {
		return nil, err
	}
	return directory.InUse(locations, held, committed), nil
}

func insertDirectory(ctx context.Context, tx pgx.Tx, d directory.Directory) (directory.Directory, error) {
	const query = `
insert into directories (version, body, actor, on_behalf_of, request_id) values ($1, $2::text::json, $3, $4, $5) returning applied_at`
	body, err := json.Marshal(d.Directory)
	if err != nil {
		return directory.Directory{}, fmt.Errorf("directory: %w", err)
	}
	err = tx.QueryRow(ctx, query, d.Version, string(body), d.Actor, d.OnBehalfOf, d.RequestID).Scan(&d.AppliedAt)
	d.AppliedAt = d.AppliedAt.UTC()
	return d, err
}
