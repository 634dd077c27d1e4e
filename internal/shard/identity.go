package shard

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// Identity says which Redis this is, and what its stored data says about itself.
type Identity struct {
	RunID         string // of the Redis process
	ReplicationID string // of the history of its data
	followed      string // the history that it continued when it was promoted; "" if it never was
	Primary       bool
	version       string // "" for the embedded engine
	Epoch         uint64 // as stored; 0 if there is none
	Gate          string // as stored; "" means open
	LedgerID      string // as stored; "" if there is none
	unfinished    bool   // a rebuild has begun and was not finished
	Now           int64  // Unix ms by its clock
}

// embeddedID is the RunID and ReplicationID of the embedded engine, which is never another one.
const embeddedID = "embedded"

// real reports whether this is a Redis server, not the embedded engine.
func (id *Identity) real() bool { return id.version != "" }

// redisMajorMin is the oldest Redis that refuses a whole script if memory is out.
const redisMajorMin = 7

// inspect returns which Redis a connection leads to. One round trip.
func inspect(ctx context.Context, conn *redis.Conn, k wire.Keys) (Identity, error) {
	var server, replication *redis.StringCmd
	var stored *redis.SliceCmd
	var now *redis.TimeCmd
	_, failed := conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		server, replication = pipe.Info(ctx, "server"), pipe.Info(ctx, "replication")
		stored, now = pipe.HMGet(ctx, k.Stock, wire.FieldEpoch, wire.FieldGate, wire.FieldLedger, wire.FieldUnfinished), pipe.Time(ctx)
		return nil
	})
	id := Identity{RunID: embeddedID, ReplicationID: embeddedID, Primary: true}
	if err := server.Err(); err == nil {
		about := InfoFields(server.Val() + replication.Val())
		id.RunID, id.ReplicationID = about["run_id"], about["master_replid"]
		if strings.Trim(about["master_replid2"], "0") != "" {
			id.followed = about["master_replid2"]
		}
		id.version, id.Primary = about["redis_version"], about["role"] == "master"
	} else if outcomeOf(err) != ranPartly { // the embedded engine does not know INFO server
		return Identity{}, unavailable(err)
	} else {
		failed = nil
	}
	err := checkReplies(failed, stored, now)
	if redis.HasErrorPrefix(stored.Err(), "NOPERM") {
		return Identity{}, fmt.Errorf("%w: allow the keys ~%s*", err, strings.TrimSuffix(k.Stock, "stock"))
	}
	if err != nil {
		return Identity{}, err
	}
	if major, err := strconv.Atoi(strings.SplitN(id.version, ".", 2)[0]); err == nil && major < redisMajorMin {
		return Identity{}, fmt.Errorf("%w: Redis %s is too old: use %d.0 or later", wire.ErrUnavailable, id.version, redisMajorMin)
	}
	id.Now = now.Val().UnixMilli()
	id.Gate, _ = stored.Val()[1].(string)
	id.LedgerID, _ = stored.Val()[2].(string)
	id.unfinished = stored.Val()[3] != nil
	if text, there := stored.Val()[0].(string); there {
		var err error
		if id.Epoch, err = strconv.ParseUint(text, 10, 64); err != nil {
			return Identity{}, fmt.Errorf("%w: epoch %q", wire.ErrCorrupt, text)
		}
	}
	return id, nil
}

// InfoFields reads the "name:value" lines of a reply to INFO.
func InfoFields(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// Foreign returns why this Redis is not the one recorded in p, or "" if it is. A primary also takes
// a new replication id when its first replica attaches, and an hour after the last one has left.
// Its data is the same then, and master_replid2 is all zeros.
func (id *Identity) Foreign(p wire.Position) string {
	switch {
	case !id.Primary:
		return "it is a replica"
	case id.Epoch != p.Epoch:
		return fmt.Sprintf("it is at epoch %d, the ledger at %d", id.Epoch, p.Epoch)
	case id.RunID != p.RunID:
		return "it was restarted, or is another server"
	case id.ReplicationID != p.ReplicationID && id.followed != "":
		return "it has followed another Redis"
	default:
		return ""
	}
}

// Continues reports whether this Redis was promoted from a replica of the one recorded in p, and was
// not being rebuilt. Then its data is that of p's history up to some entry, unless somebody has edited it.
func (id *Identity) Continues(p wire.Position) bool {
	return id.Primary && id.Epoch == p.Epoch && id.followed != "" && id.followed == p.ReplicationID &&
		!id.unfinished && !id.Stopped() && !id.OfOther(p)
}

// OfOther reports whether this Redis was rebuilt from another ledger than that of p. A Redis or a
// ledger from before ids is of no other.
func (id *Identity) OfOther(p wire.Position) bool {
	return id.LedgerID != "" && p.LedgerID != "" && id.LedgerID != p.LedgerID
}

// Closed reports whether the gate is closed for a rebuild.
func (id *Identity) Closed() bool { return id.Gate == wire.GateLoading || id.Gate == wire.GateStopped }

// Stopped reports whether the gate stays closed until an operator decides.
func (id *Identity) Stopped() bool { return id.Gate == wire.GateStopped }
