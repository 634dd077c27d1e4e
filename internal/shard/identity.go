package shard

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// Identity is which Redis this is, and whose data it says it has.
type Identity struct {
	RunID         string // of this process of Redis
	ReplicationID string // of this history of its data: another one since it followed another Redis
	Primary       bool
	Version       string // "" of the embedded engine
	Epoch         uint64 // stored; 0 where there is none
	Gate          string // as stored; "" is open
	Now           int64  // Unix ms, by its clock
}

// embeddedID stands for the ids of the embedded engine: it is never another one.
const embeddedID = "embedded"

// real tells a Redis server from the embedded engine.
func (id *Identity) real() bool { return id.Version != "" }

// redisMajorMin is the oldest Redis that refuses a script whole when memory is out.
const redisMajorMin = 7

// inspect asks a connection which Redis it leads to. One round trip.
func inspect(ctx context.Context, conn *redis.Conn, k wire.Keys) (Identity, error) {
	var server, replication *redis.StringCmd
	var stored *redis.SliceCmd
	var now *redis.TimeCmd
	_, _ = conn.Pipelined(ctx, func(pipe redis.Pipeliner) error { // each has an error of its own
		server, replication = pipe.Info(ctx, "server"), pipe.Info(ctx, "replication")
		stored, now = pipe.HMGet(ctx, k.Stock, wire.FieldEpoch, wire.FieldGate), pipe.Time(ctx)
		return nil
	})
	id := Identity{RunID: embeddedID, ReplicationID: embeddedID, Primary: true}
	if err := server.Err(); err == nil {
		about := infoFields(server.Val() + replication.Val())
		id.RunID, id.ReplicationID = about["run_id"], about["master_replid"]
		id.Version, id.Primary = about["redis_version"], about["role"] == "master"
	} else if !isReply(err) || outcomeOf(err) != ranPartly { // the embedded engine does not know INFO server
		return Identity{}, fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
	}
	if err := errors.Join(stored.Err(), now.Err()); err != nil {
		return Identity{}, fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
	}
	if major, err := strconv.Atoi(strings.SplitN(id.Version, ".", 2)[0]); err == nil && major < redisMajorMin {
		return Identity{}, fmt.Errorf("%w: Redis %s is too old, at least %d.0 is needed", wire.ErrUnavailable, id.Version, redisMajorMin)
	}
	id.Now = now.Val().UnixMilli()
	id.Gate, _ = stored.Val()[1].(string)
	if text, there := stored.Val()[0].(string); there {
		var err error
		if id.Epoch, err = strconv.ParseUint(text, 10, 64); err != nil {
			return Identity{}, fmt.Errorf("%w: epoch %q", wire.ErrCorrupt, text)
		}
	}
	return id, nil
}

// infoFields reads "name:value" lines.
func infoFields(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// Foreign returns why this Redis is not the one recorded in p, or "" if it is.
func (id *Identity) Foreign(p wire.Position) string {
	switch {
	case !id.Primary:
		return "it is a replica"
	case id.Epoch != p.Epoch:
		return fmt.Sprintf("it is at epoch %d, the ledger at %d", id.Epoch, p.Epoch)
	case id.RunID != p.RunID:
		return "it was restarted"
	case id.ReplicationID != p.ReplicationID:
		return "it has followed another Redis"
	default:
		return ""
	}
}

// Closed says whether the gate is closed for a rebuild, and Stopped whether it stays so until an operator
// decides.
func (id *Identity) Closed() bool { return id.Gate == wire.GateLoading || id.Gate == wire.GateStopped }

// Stopped see Closed.
func (id *Identity) Stopped() bool { return id.Gate == wire.GateStopped }
