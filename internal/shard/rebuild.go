package shard

import (
	"context"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Begin starts the epoch whose scripts are loaded. It deletes the data of earlier epochs, closes
// the gate, notes the ledger's id, and writes the first entry with nonce. It returns ErrFenced if that epoch or a higher
// one has begun already. One round trip.
func (c *Conn) Begin(ctx context.Context, nonce, ledgerID string) error {
	_, err := c.run(ctx, wire.VerbBegin, 2, "", nonce, ledgerID)
	return err
}

// Chunk is a part of the data that a rebuild loads.
type Chunk struct {
	Levels       []wire.LevelRow
	Reservations []wire.ReservationRow
	Operations   []wire.OperationRow
	Limits       []wire.LimitRow
}

// LoadChunk writes a part of the data. It returns ErrFenced if this rebuild is no longer under way.
// It is safe to repeat. One round trip.
func (c *Conn) LoadChunk(ctx context.Context, chunk Chunk) error {
	stock, levels := make([]any, 0, 2*len(chunk.Levels)), make([]any, 0, 2*len(chunk.Levels))
	for _, l := range chunk.Levels {
		name := wire.LevelField(l.SKU, l.Location)
		stock = append(stock, name, l.OnHand-l.Held-l.Committed-l.SafetyStock+l.BackorderLimit)
		levels = append(levels, name, joinNumbers(l.OnHand, l.Committed, l.SafetyStock, l.BackorderLimit))
	}
	reservations, held := make([]any, 0, 2*len(chunk.Reservations)), map[int64][]string{}
	for _, r := range chunk.Reservations {
		reservations = append(reservations, r.ID, r.Record.Encode())
		if r.Record.State == wire.StateHeld {
			held[r.Record.Expires] = append(held[r.Record.Expires], r.ID)
		}
	}
	operations := make([]any, 0, 2*len(chunk.Operations))
	for _, o := range chunk.Operations {
		operations = append(operations, o.ID, strings.Join([]string{"1", o.Fingerprint, strconv.FormatInt(o.At, 10), o.CreationNonce}, wire.UnitSeparator))
	}
	var deadlines []any
	for expires, ids := range held {
		for len(ids) > 0 {
			n := min(len(ids), idsPerMember)
			deadlines = append(deadlines, expires, strings.Join(ids[:n], wire.UnitSeparator))
			ids = ids[n:]
		}
	}
	limits := make([]any, 0, 2*len(chunk.Limits))
	for _, l := range chunk.Limits {
		limits = append(limits, l.Name(), l.Units)
	}
	args := []any{}
	parts := [][]any{stock, levels, reservations, operations, limits, deadlines}
	for _, part := range parts {
		args = append(args, len(part))
	}
	for _, part := range parts {
		args = append(args, part...)
	}
	_, err := c.run(ctx, wire.VerbLoad, 1, args...)
	return err
}

// idsPerMember is the most ids in one member of deadlines, as in the scripts.
const idsPerMember = 64

// joinNumbers joins numbers as the scripts do.
func joinNumbers(list ...int64) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(texts, wire.UnitSeparator)
}

// Open ends a rebuild and opens the gate. Holds may expire until expireUntil, Unix ms. It returns
// ErrFenced if this rebuild is no longer under way. One round trip.
func (c *Conn) Open(ctx context.Context, epoch uint64, locations []location.ID, expireUntil int64) error {
	list := make([]string, len(locations))
	for i, id := range locations {
		list[i] = string(id)
	}
	version := epoch*locationsPerEpoch + uint64(len(list)) // higher than in any earlier epoch
	_, err := c.run(ctx, wire.VerbOpen, 1, strings.Join(list, wire.UnitSeparator), version, expireUntil)
	return err
}

// Adopt starts the epoch whose scripts are loaded, keeps the data, and opens the gate. The last entry must be
// the one at applied, which is of the epoch before. Holds that fell due keep their units until graceUntil,
// Unix ms. It returns ErrFenced if anything is not as it must be. One round trip.
func (c *Conn) Adopt(ctx context.Context, applied wire.Position, nonce string, graceUntil int64) error {
	_, err := c.run(ctx, wire.VerbAdopt, 2, "", nonce, applied.EntryID(), graceUntil)
	return err
}

// locationsPerEpoch is above the number of versions that the list of locations has in one epoch.
const locationsPerEpoch = 1_000_000
