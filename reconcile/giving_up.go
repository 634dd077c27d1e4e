package reconcile

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// givenUpReason is the reason in the quarantine of a reservation that a rebuild gives up.
const givenUpReason = "given up for an older ledger, which lacks it or has an earlier state of it"

// scannedPerCall is about how many reservations of Redis are compared with the ledger at once.
const scannedPerCall = 100

// givenUp is the body of such a row, as JSON.
type givenUp struct {
	ID       string      `json:"id"`
	Order    string      `json:"order,omitempty"`
	Customer string      `json:"customer,omitempty"`
	State    cache.State `json:"state"`
	Version  int64       `json:"version"`
	Record   wire.Record `json:"record"`
}

// keepGivenUp puts into quarantine every reservation that Redis has, and that the ledger lacks or
// has in an earlier state. The rebuild drops them. The gate is closed, so Redis does not change
// meanwhile. It is safe to repeat. Two round trips for scannedPerCall reservations.
func (a *applier) keepGivenUp(ctx context.Context) error {
	if !a.givingUp {
		return nil
	}
	reservations, sales := 0, 0
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		list, next, err := a.shard.Scan(ctx, shard.PartReservations, cursor, scannedPerCall)
		if err != nil {
			return err
		}
		entries, sold, err := a.lacked(ctx, list)
		if err == nil && len(entries) > 0 {
			err = a.session.SetAside(ctx, entries, givenUpReason)
		}
		if err != nil {
			return err
		}
		reservations, sales, cursor = reservations+len(entries), sales+sold, next
	}
	a.Logger.Warn("the ledger is older than redis, as an operator accepts: the reservations that it lacks are in the table quarantine",
		"reservations", reservations, "of them sold", sales, "reason", givenUpReason)
	return nil
}

// lacked returns the reservations that the ledger lacks or has in an earlier state, as rows of the
// quarantine, and how many of them are sold.
func (a *applier) lacked(ctx context.Context, list []shard.Field) (entries []ledger.Entry, sold int, err error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].Name
	}
	known, err := a.session.Records(ctx, ledger.Identifiers(ids)) // the ledger has no other ids
	if err != nil {
		return nil, 0, err
	}
	for _, f := range list {
		record, err := wire.DecodeRecord(f.Value)
		has, there := known[f.Name]
		if err == nil && there && has.CreationNonce == record.CreationNonce && has.Version >= record.Version {
			continue
		}
		body := f.Value // of a record that cannot be read
		if err == nil {
			if record.State == cache.StateConfirmed || record.State == cache.StateFulfilled {
				sold++
			}
			text, err := json.Marshal(givenUp{f.Name, record.Order, record.Customer, record.State, record.Version, record})
			if err != nil {
				return nil, 0, err
			}
			body = string(text)
		}
		entries = append(entries, ledger.Entry{
			Text: fmt.Sprintf("reservation %s v%d %s", f.Name, record.Version, record.CreationNonce), Raw: []string{body},
		})
	}
	return entries, sold, nil
}
