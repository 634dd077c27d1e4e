package shard

import (
	"context"

	"github.com/holdfast/holdfast/internal/wire"
)

// CheckpointRequest lists the names in Redis that an audit looks at in one step: fields of hashes,
// and members of deadlines.
type CheckpointRequest struct {
	Audit                                   string
	How                                     wire.How
	Levels, Reservations, Limits, Deadlines []string
}

// AppendCheckpoint appends the values of some names in Redis to the stream, and returns the id of the
// entry. It changes nothing else. It is safe to repeat. One round trip.
func (c *Conn) AppendCheckpoint(ctx context.Context, m CheckpointRequest) (entry string, err error) {
	args := []any{"", nonce(), m.Audit, string(m.How), len(m.Levels), len(m.Reservations), len(m.Limits), len(m.Deadlines)}
	for _, names := range [][]string{m.Levels, m.Reservations, m.Limits, m.Deadlines} {
		for i := range names {
			args = append(args, &names[i])
		}
	}
	reply, err := c.run(ctx, wire.VerbAudit, 3, args...)
	if err != nil {
		return "", err
	}
	return reply[2], nil
}
