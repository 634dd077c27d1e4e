package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// ErrOlderLedger says that the ledger lacks what Redis has: it may be a restored backup. A rebuild
// would lose what it lacks.
var ErrOlderLedger = errors.New("the ledger is older than Redis")

// CheckOlder returns ErrOlderLedger if the ledger is older than Redis, even if no reconciler has
// found that yet.
func CheckOlder(ctx context.Context, client redis.UniversalClient, prefix string, l ledger.Ledger) error {
	shard, seen, err := open(ctx, client, prefix)
	if err != nil {
		return err
	}
	defer shard.Close()
	first, err := shard.Entries(ctx, "-", 1)
	if err != nil {
		return err
	}
	at, _, err := l.Position(ctx) // last: an applier can only move it forward meanwhile
	if err != nil {
		return err
	}
	why, err := older(ctx, shard, &seen, first, at.Position)
	if err == nil && why != "" {
		err = fmt.Errorf("%w: %s", ErrOlderLedger, why)
	}
	return err
}

// checkOlder returns ErrOlderLedger if the ledger is older than Redis, and keeps the gate closed.
// If an operator has accepted that, it notes instead that movements up to now may be missing. known
// says whether the ledger has a position.
func (a *applier) checkOlder(ctx context.Context, known, accepted bool) error {
	if !known {
		if a.seen.Epoch != 0 && !accepted {
			return fmt.Errorf("%w: it is empty, Redis is at epoch %d", ErrOlderLedger, a.seen.Epoch)
		}
		a.givingUp = a.seen.Epoch != 0
		return nil
	}
	a.givingUp = false
	first, err := a.shard.Entries(ctx, "-", 1)
	if err != nil {
		return err
	}
	why, err := older(ctx, a.shard, &a.seen, first, a.at)
	if err != nil || why == "" {
		return err
	}
	// A process that was paused after it read the position finds a Redis that has gone on with the
	// ledger.
	p, there, err := a.session.Position(ctx)
	if err != nil {
		return err
	}
	if !there || !ledger.SamePosition(p.Position, a.at) {
		return ledger.ErrMoved
	}
	if accepted {
		a.givingUp = true
		return a.session.KeepFrom(ctx, a.seen.Now)
	}
	if err := a.shard.CloseGate(ctx, true); err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", ErrOlderLedger, why)
}

// older returns why a ledger that has applied entries up to at is older than Redis, or "" if it is
// not. first is the first entry of the stream. A gate that is stopped stays stopped until the last
// applied entry is in the stream: then the ledger is the right one again. At most one round trip.
func older(ctx context.Context, shard *shard.Conn, seen *shard.Identity, first []redis.XMessage, at wire.Position) (string, error) {
	if seen.Epoch > at.Epoch {
		return fmt.Sprintf("it is at epoch %d, Redis is at epoch %d", at.Epoch, seen.Epoch), nil
	}
	if len(first) == 1 && seen.Epoch == at.Epoch {
		id, err := ledger.ParseEntryID(first[0].ID)
		if err == nil && id.Epoch == at.Epoch && id.Sequence > at.Sequence {
			return fmt.Sprintf("it has applied entries up to %s, and Redis no longer has those between there and %s", at.EntryID(), id), nil
		}
	}
	if !seen.Stopped() {
		return "", nil
	}
	applied, err := shard.LastApplied(ctx, at)
	if err != nil || applied {
		return "", err
	}
	return "an earlier check found it older than Redis", nil
}
