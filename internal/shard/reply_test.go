package shard

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
)

// FuzzReplies runs everything that reads a reply, and replaces one reply. Nothing may panic. Each call
// gets an error or an answer.
func FuzzReplies(f *testing.F) {
	for i, odd := range redistest.OddReplies {
		for skip := i % 7; skip < replies; skip += 7 { // a seventh of them for each reply
			f.Add(skip, odd)
		}
	}
	options := redis.Options{ReadTimeout: 50 * time.Millisecond, PoolSize: 1}
	faultproxy.FuzzReplies(f, options, func(t *testing.T, _ redistest.Engine, client *redis.Client, arm func()) {
		arm()
		conn, err := Open(t.Context(), client, "odd", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := readOnConn(t.Context(), conn); err != nil {
			t.Log(err)
		}
		conn.Close()
		readOnShard(t.Context(), client)
	})
}

// replies is the number of replies that readOnConn and readOnShard read if none is replaced.
const replies = 72

// readOnConn calls every method of a Conn, as a lease term does: a panic ends it with an error.
func readOnConn(ctx context.Context, c *Conn) (err error) {
	defer wire.Recovered(&err)
	id, _ := c.Inspect(ctx)
	_, _ = c.Facts(ctx)
	_ = c.CloseGate(ctx, false)
	_ = c.Load(ctx, 1, id)
	_ = c.Begin(ctx, "nonce", "ledger")
	_ = c.NoteLedger(ctx, "ledger")
	record := wire.Record{
		State: wire.StateHeld, Version: 1, Expires: 1, CreationNonce: "n", Created: 1, Fingerprint: "f",
		Lines: []wire.RecordLine{{Line: "1", SKU: "TEE", Requested: 2, From: []wire.RecordAllocation{{Location: "berlin", Quantity: 2}}}},
	}
	_ = c.LoadChunk(ctx, Chunk{
		Levels:       []wire.LevelRow{{LevelName: wire.LevelName{SKU: "TEE", Location: "berlin"}, Level: wire.Level{OnHand: 5, Held: 2}}},
		Reservations: []wire.ReservationRow{{ID: "a", Record: record}}, Operations: []wire.OperationRow{{ID: "o", CreationNonce: "n"}},
		Limits: []wire.LimitRow{{LimitKey: wire.LimitKey{Limit: "l", Identity: "c"}, Units: 1}},
	})
	_ = c.Open(ctx, 1, nil, 1)
	_, _ = c.HoldAgain(ctx, []LostHold{{ID: "b", Record: record, TTL: 1000}})
	_, _ = c.TryHold(ctx, LostHold{ID: "b", Record: record, TTL: 1000})
	_, _, _ = c.Records(ctx, []string{"a", "b"})
	_, _, _ = c.Housekeep(ctx, Housekeeping{ExpireUntil: 1, Applied: wire.Position{Epoch: 1}, BacklogMax: 1000})
	step := wire.Step{ID: "b", CreationNonce: "n", Version: 1}
	_, _ = c.Compensate(ctx, []Undoing{{Step: step}})
	_, _ = c.Revert(ctx, []Reverting{{Step: wire.Step{Operation: true, ID: "o", CreationNonce: "n", Version: 1}}})
	_, _ = c.AppendCheckpoint(ctx, CheckpointRequest{Audit: "audit", Levels: []string{"TEE\x1fberlin"}, Reservations: []string{"a"}})
	_, _ = c.Repair(ctx, "audit", "me", []RepairItem{Watch("f", "a")})
	_, _ = c.Read(ctx, wire.Position{Epoch: 1, Sequence: 1}, Names{Levels: []string{"TEE\x1fberlin", "X"}, Reservations: []string{"a", "b"}}, 10)
	_, _ = c.Unwatched(ctx, []Deadline{{"a", 1}, {"b", 2}})
	for part := PartStock; part <= PartDeadlines; part++ {
		_, _, _ = c.Scan(ctx, part, 0, 10)
	}
	_, _ = c.Sizes(ctx)
	_, _ = c.Missing(ctx, []string{"a", "b"})
	_, _ = c.Entries(ctx, "-", 10)
	_, _, _ = c.Last(ctx)
	_, _ = c.LastApplied(ctx, wire.Position{Epoch: 1, Sequence: 1, Nonce: "nonce"})
	_ = c.Wait(ctx, "0-0", time.Millisecond)
	_ = c.Forget(ctx, wire.Forgettable{Reservations: []wire.Step{step}})
	return nil
}

// oddRequest is a request of no verb.
type oddRequest struct{ arguments []string }

func (oddRequest) ID() string           { return "a" }
func (oddRequest) Weight() int          { return 1 }
func (oddRequest) NotAfter() time.Time  { return time.Time{} }
func (r oddRequest) Arguments(b *Batch) { b.Level("TEE\x1fberlin"); b.Add(r.arguments...) }
func oddRequests() (list []oddRequest) {
	return []oddRequest{{[]string{"", "", "", "", "0"}}, {[]string{"1000 lines 0 0", "", ""}}}
}

// readOnShard calls every method of a Shard.
func readOnShard(ctx context.Context, client *redis.Client) {
	s := New(Config{
		Client: client, Prefix: "odd", Verbs: wire.Verbs, Timeout: 100 * time.Millisecond, BatchMax: 8, InFlightMax: 1, QueueMax: 8,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	defer func() { _ = s.Close(context.Background()) }()
	_ = s.Look(ctx, func(redis.Pipeliner) {})
	for _, verb := range wire.Verbs {
		for _, r := range oddRequests() {
			if verb != wire.VerbExpire {
				_ = s.Do(ctx, time.Now().Add(time.Second), verb, r)
			}
		}
	}
	_, _, _, _ = s.Expire(ctx)
	_, _ = s.DryRun(ctx, oddRequests()[1])
	_ = s.Read(ctx, func(pipe redis.Pipeliner) {
		pipe.HMGet(ctx, s.Keys.Levels, "a", "b")
		pipe.HGet(ctx, s.Keys.Levels, "a")
		pipe.Time(ctx)
	})
}
