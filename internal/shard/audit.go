package shard

import (
	"context"
	"fmt"

	"github.com/holdfast/holdfast/internal/wire"
)

// Marking names what an audit looks at in one step: by the fields, and the members, that Redis has.
type Marking struct {
	Audit                                   string
	How                                     wire.How
	Levels, Reservations, Limits, Deadlines []string
}

// Mark has what Redis has of some names appended to the stream, and returns the entry. It changes nothing
// else, and is safe to repeat. One round trip.
func (c *Conn) Mark(ctx context.Context, m Marking) (entry string, err error) {
	args := []any{"", nonce(), m.Audit, string(m.How), len(m.Levels), len(m.Reservations), len(m.Limits), len(m.Deadlines)}
	for _, names := range [][]string{m.Levels, m.Reservations, m.Limits, m.Deadlines} {
		for i := range names {
			args = append(args, &names[i])
		}
	}
	reply, err := c.run(ctx, string(wire.VerbAudit), all(c.keys), args...)
	if err != nil {
		return "", err
	}
	if len(reply) != 3 {
		return "", fmt.Errorf("audit: %w", wire.ErrCorrupt)
	}
	return fmt.Sprint(reply[2]), nil
}

// all lists what an audit reads, as its scripts bind it.
func all(k wire.Keys) []string {
	return []string{k.Stock, k.Levels, k.Reservations, k.Deadlines, k.Limits, k.Events}
}
