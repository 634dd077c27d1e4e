package main

import (
	"errors"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// backends are a real Redis and the ledger's database, for a command that needs both.
type backends struct {
	redis    *dial.Redis
	postgres *postgres.Ledger
}

// openBackends opens both; it waits for neither.
func openBackends(c config.Config) (*backends, error) {
	if c.Redis.Endpoint.Embedded() {
		return nil, errNoRedis
	}
	postgres, err := openPostgres(c)
	if err != nil {
		return nil, err
	}
	redis, err := dial.Open(c.Redis.Endpoint)
	if err != nil {
		postgres.Close()
		return nil, err
	}
	return &backends{redis, postgres}, nil
}

// closeInto closes both, and adds what goes wrong to a command's error.
func (b *backends) closeInto(err *error) {
	*err = errors.Join(*err, b.redis.Close())
	b.postgres.Close()
}
