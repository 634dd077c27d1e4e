package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/keys"
)

// The refusals of changes of keys.
var (
	ErrKeyName    = errors.New("a key with this name works already: rotate it, revoke it, or take another name")
	ErrKeyMissing = errors.New("no key that works has this id or name: `holdfast keys list` lists them")
	ErrKeySeveral = errors.New("several keys have this name: name one by its id, which `holdfast keys list` shows")
)

const selectKeys = `
select id, name, roles, channels, hash, requests_per_second, created_at, created_by, expires_at, revoked_at, revoked_by
from api_keys `

// works is the condition of the keys that callers can use.
const works = `revoked_at is null and (expires_at is null or expires_at > now()) `

// Keys reads every key, on a connection that nothing else uses. One round trip.
func (p *Ledger) Keys(ctx context.Context) ([]keys.Key, error) {
	list, err := collect(ctx, p.keys, scanKey, selectKeys+`order by created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", explain(err))
	}
	return list, nil
}

func scanKey(row pgx.CollectableRow) (k keys.Key, err error) {
	var hash []byte
	var expires, revoked *time.Time
	err = row.Scan(&k.ID, &k.Name, &k.Roles, &k.Channels, &hash, &k.Rate, &k.CreatedAt, &k.CreatedBy, &expires, &revoked, &k.RevokedBy)
	copy(k.Hash[:], hash)
	k.CreatedAt = k.CreatedAt.UTC()
	if expires != nil {
		k.ExpiresAt = expires.UTC()
	}
	if revoked != nil {
		k.RevokedAt = revoked.UTC()
	}
	return k, err
}

// CreateKey adds a key. Errors: ErrKeyName.
func (p *Ledger) CreateKey(ctx context.Context, k keys.Key) error {
	return p.changeKeys(ctx, func(tx pgx.Tx) error {
		found, err := collect(ctx, tx, pgx.RowTo[string], `select id from api_keys where name = $1 and `+works, k.Name)
		if err == nil && len(found) > 0 {
			err = ErrKeyName
		}
		if err == nil {
			err = insertKey(ctx, tx, k)
		}
		return err
	})
}

// RevokeKey revokes a key that works, by its id or its name, and returns it. Errors: ErrKeyMissing,
// ErrKeySeveral.
func (p *Ledger) RevokeKey(ctx context.Context, key, by string) (revoked keys.Key, err error) {
	err = p.changeKeys(ctx, func(tx pgx.Tx) error {
		if revoked, err = workingKey(ctx, tx, key); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update api_keys set revoked_at = now(), revoked_by = $2 where id = $1`, revoked.ID, by)
		return err
	})
	return revoked, err
}

// RotateKey makes a key in place of one that works, with the same name, roles, channels, rate and
// lifetime, and returns it. next has the id and the hash of the new key, and who makes it. The old key
// works for overlap longer. Errors: ErrKeyMissing, ErrKeySeveral.
func (p *Ledger) RotateKey(ctx context.Context, key string, next keys.Key, overlap time.Duration) (made keys.Key, err error) {
	err = p.changeKeys(ctx, func(tx pgx.Tx) error {
		old, err := workingKey(ctx, tx, key)
		if err != nil {
			return err
		}
		made = next
		made.Name, made.Roles, made.Channels, made.Rate = old.Name, old.Roles, old.Channels, old.Rate
		if !old.ExpiresAt.IsZero() {
			made.ExpiresAt = time.Now().Add(old.ExpiresAt.Sub(old.CreatedAt)).UTC().Truncate(time.Second)
		}
		const end = `update api_keys set expires_at = least(expires_at, now() + $2::bigint * interval '1 millisecond') where id = $1`
		if _, err := tx.Exec(ctx, end, old.ID, overlap.Milliseconds()); err != nil {
			return err
		}
		return insertKey(ctx, tx, made)
	})
	return made, err
}

// changeKeys runs change in a transaction. Changes of keys come one after another.
func (p *Ledger) changeKeys(ctx context.Context, change func(tx pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, p.keys, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `lock table api_keys in share row exclusive mode`); err != nil {
			return err
		}
		return change(tx)
	})
	return explain(err)
}

// workingKey reads the key that works and has an id, or else a name.
func workingKey(ctx context.Context, tx pgx.Tx, key string) (keys.Key, error) {
	found, err := collect(ctx, tx, scanKey, selectKeys+`where (id = $1 or name = $1) and `+works, key)
	switch {
	case err != nil:
		return keys.Key{}, err
	case len(found) == 0:
		return keys.Key{}, ErrKeyMissing
	case len(found) == 1:
		return found[0], nil
	}
	for _, k := range found {
		if k.ID == key {
			return k, nil
		}
	}
	return keys.Key{}, ErrKeySeveral
}

func insertKey(ctx context.Context, tx pgx.Tx, k keys.Key) error {
	const query = `
insert into api_keys (id, name, roles, channels, hash, requests_per_second, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)`
	var expires *time.Time
	if !k.ExpiresAt.IsZero() {
		expires = &k.ExpiresAt
	}
	_, err := tx.Exec(ctx, query, k.ID, k.Name, k.Roles, append([]string{}, k.Channels...), k.Hash[:], k.Rate, k.CreatedBy, expires)
	return err
}
