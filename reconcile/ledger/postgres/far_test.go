package postgres_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/ledgertest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// farConn is a connection to a distant server: each write takes some time.
type farConn struct {
	net.Conn
	away time.Duration
}

func (c *farConn) Write(p []byte) (int, error) {
	time.Sleep(c.away)
	return c.Conn.Write(p)
}

// TestPostgres_OneRefusedFarAway checks that Apply finds one refused event of a thousand within
// sessionTimeout, even if the database is far away. Otherwise the shard would stop.
func TestPostgres_OneRefusedFarAway(t *testing.T) {
	config := ledgertest.OpenLedger(t).Config()
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &farConn{conn, 5 * time.Millisecond}, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	reconciletest.Must(t, err)
	t.Cleanup(pool.Close)
	b := &ledgertest.Bench{TB: t, Ledger: postgres.New(pool, 0), Pool: pool}
	b.Lock()
	b.Begin(nil, 1)
	const most, bad = 1000, 700
	events := []wire.Event{ledgertest.Recount("count", 0, most)}
	for i := range most {
		e := ledgertest.Born(fmt.Sprintf("r%03d", i), ledgertest.Reserved(1), "n1")
		if i == bad {
			e.Record.Lines[0].Requested = 0 // reservation_lines_requested
		}
		events = append(events, e)
	}
	refusals := b.Apply(b.Entry(events...))
	if len(refusals) != 1 || refusals[0].Step.ID != fmt.Sprintf("r%03d", bad) || refusals[0].Reason != ledger.ReasonConstraint {
		t.Errorf("%+v", refusals)
	}
	levels, err := b.Ledger.Levels(t.Context(), "TEE")
	if err != nil || len(levels) != 1 || levels[0].Held != most-1 {
		t.Errorf("%+v, %v", levels, err)
	}
}
