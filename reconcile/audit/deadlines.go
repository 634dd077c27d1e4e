package audit

import (
	"context"
	"slices"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
)

// compareDeadlines looks for orphaned deadlines: members of the deadlines that hold an id without a
// record. One member may hold several ids. A step covers about as many ids as a page has names.
func (r *run) compareDeadlines(ctx context.Context) error {
	if r.noOrphans {
		r.same.Deadlines += r.deadlinesSeen
		r.progress(int(r.deadlinesSeen))
		return nil
	}
	if !r.scope.All() {
		return nil
	}
	return r.scan(ctx, shard.PartDeadlines, func(ctx context.Context, fields []shard.Field) error {
		var members, ids []string
		for _, f := range fields {
			members = append(members, f.Name)
			if ids = append(ids, wire.DeadlineIDs(f.Name)...); len(ids) >= r.page {
				if err := r.compareMembers(ctx, members, ids); err != nil {
					return err
				}
				members, ids = nil, nil
			}
		}
		return r.compareMembers(ctx, members, ids)
	})
}

// compareMembers compares the members of the deadlines that hold an id without a record. ids are
// all ids of the members.
func (r *run) compareMembers(ctx context.Context, members, ids []string) error {
	lacking := map[string]bool{}
	if len(ids) > 0 {
		list, err := onShard(ctx, r, func(s *shard.Conn, ctx context.Context) ([]string, error) { return s.Missing(ctx, ids) })
		if err != nil {
			return err
		}
		for _, id := range list {
			lacking[id] = true
		}
	}
	var doubtful []string
	for _, member := range members {
		if slices.ContainsFunc(wire.DeadlineIDs(member), func(id string) bool { return lacking[id] }) {
			doubtful = append(doubtful, member)
		}
	}
	r.same.Deadlines += int64(len(members) - len(doubtful))
	return r.checkpoint(ctx, shard.CheckpointRequest{Deadlines: doubtful})
}
