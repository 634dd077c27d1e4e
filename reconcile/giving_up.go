package reconcile

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/recovery"
)

// givenUpReason is the reason in the quarantine of a reservation that a rebuild gives up.
const givenUpReason = "given up for an older ledger, which lacks it or has an earlier state of it"

// keepGivenUp puts into quarantine every reservation that Redis has, and that the ledger lacks or
// has in an earlier state. The rebuild drops them. The gate is closed, so Redis does not change
// meanwhile. It is safe to repeat.
func (a *applier) keepGivenUp(ctx context.Context) error {
	if !a.givingUp {
		return nil
	}
	t, err := recovery.Scan(ctx, a.shard, a.session.Records, func(lost []recovery.Lost) error {
		entries := make([]ledger.Entry, len(lost))
		for i := range lost {
			var err error
			if entries[i], err = lost[i].Entry(); err != nil {
				return err
			}
		}
		return a.session.SetAside(ctx, entries, givenUpReason)
	})
	if err != nil {
		return err
	}
	a.Logger.Warn("the ledger is older than redis, as an operator accepts: the reservations that it lacks are in the table quarantine",
		"reservations", t.Reservations(), "sales", t.Sales, "sale_units", t.SaleUnits, "holds", t.Holds, "hold_units", t.HoldUnits,
		"over", t.Over, "unreadable", t.Broken, "reason", givenUpReason)
	return nil
}

// ListGivenUp closes the gate, and calls keep with each reservation that a rebuild would give up for an
// older ledger. It returns how many there are. Call it only if
// CheckTogether returns ErrOlderLedger: the gate would open again only within a second.
func ListGivenUp(
	ctx context.Context, client redis.UniversalClient, prefix string, l ledger.Ledger, keep func([]recovery.Lost) error,
) (t recovery.Tally, err error) {
	conn, _, err := open(ctx, client, prefix)
	if err != nil {
		return t, err
	}
	defer conn.Close()
	if err := conn.CloseGate(ctx, true); err != nil {
		return t, err
	}
	records := func(ctx context.Context, ids []string) (map[string]wire.Record, error) {
		_, known, err := l.RecordsAt(ctx, ids)
		return known, err
	}
	if t, err = recovery.Scan(ctx, conn, records, keep); err != nil {
		return t, fmt.Errorf("list the reservations that the ledger lacks: %w", err)
	}
	return t, nil
}
