package shard

import (
	"fmt"
	"slices"
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

const deadline = 1_700_000_000_000 // Unix ms

// rebuilt returns a connection to a Redis that a rebuild has given some chunks.
func rebuilt(t *testing.T, e redistest.Engine, chunks ...Chunk) *Conn {
	t.Helper()
	e.Flush(t)
	c, err := Open(t.Context(), e.Client, "holdfast", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id, err := c.Inspect(t.Context())
	must(err)
	must(c.Load(t.Context(), 1, id))
	must(c.Begin(t.Context(), "begin", "ledger"))
	for _, chunk := range chunks {
		must(c.LoadChunk(t.Context(), chunk))
	}
	must(c.Open(t.Context(), 1, []location.ID{"berlin"}, deadline))
	return c
}

// tee is a level, and a reservation of one unit of it in a state.
func tee(id string, state wire.State, version, expires int64) (Chunk, wire.Record) {
	record := wire.Record{
		State: state, Version: version, Expires: expires, CreationNonce: "made", Created: 1, Fingerprint: "f",
		Lines: []wire.RecordLine{{Line: "1", SKU: "TEE", Requested: 1, From: []wire.RecordAllocation{{Location: "berlin", Quantity: 1}}}},
	}
	level := wire.LevelRow{LevelName: wire.LevelName{SKU: "TEE", Location: "berlin"}, Level: wire.Level{OnHand: 5}}
	if state == wire.StateConfirmed {
		level.Committed = 1
	}
	return Chunk{Levels: []wire.LevelRow{level}, Reservations: []wire.ReservationRow{{ID: id, Record: record}}}, record
}

// watched returns the ids whose deadline is watched, in order.
func watched(t *testing.T, c *Conn) (ids []string) {
	t.Helper()
	members, err := c.conn.ZRange(t.Context(), c.keys.Deadlines, 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range members {
		ids = append(ids, wire.DeadlineIDs(member)...)
	}
	slices.Sort(ids)
	return ids
}

// TestLoadChunk_Deadlines checks that a rebuild watches the deadline of every hold: of each chunk, and
// if more holds share a deadline than one member of deadlines may have.
func TestLoadChunk_Deadlines(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		chunks, want := make([]Chunk, 3), []string{}
		for i := range chunks {
			for j := range 2*idsPerMember + 1 {
				id := fmt.Sprintf("%d-%03d", i, j)
				one, _ := tee(id, wire.StateHeld, 1, deadline)
				chunks[i].Reservations = append(chunks[i].Reservations, one.Reservations...)
				want = append(want, id)
			}
		}
		if got := watched(t, rebuilt(t, e, chunks...)); !slices.Equal(got, want) {
			t.Errorf("%d deadlines are watched, want %d", len(got), len(want))
		}
	})
}

// TestCompensate_Deadline checks that a reservation which is held again expires, unless the ledger
// would refuse that.
func TestCompensate_Deadline(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		for _, unwatched := range []bool{false, true} {
			chunk, record := tee("a", wire.StateConfirmed, 2, deadline)
			c := rebuilt(t, e, chunk)
			step := wire.Step{ID: "a", CreationNonce: record.CreationNonce, Version: 2}
			record.State, record.Version = wire.StateHeld, 3
			gone, err := c.Compensate(t.Context(), []Undoing{{Step: step, Target: &record, Unwatched: unwatched}})
			if err != nil || len(gone) != 0 {
				t.Fatalf("gone %v, %v", gone, err)
			}
			if got, want := watched(t, c), map[bool][]string{false: {"a"}}[unwatched]; !slices.Equal(got, want) {
				t.Errorf("unwatched %t: the deadlines of %v are watched, want %v", unwatched, got, want)
			}
		}
	})
}

// TestRepair_TwiceInABatch checks that two repairs of one level in one batch both count.
func TestRepair_TwiceInABatch(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		chunk, _ := tee("a", wire.StateConfirmed, 2, deadline)
		c := rebuilt(t, e, chunk)
		name := wire.LevelField("TEE", "berlin")
		seen := wire.Position{Epoch: 1, Sequence: 1}
		done, err := c.Repair(t.Context(), "audit", "anna", []RepairItem{
			AddToLevel("counter_drift", name, seen, wire.LevelCounts{Available: 2, OnHand: 3, SafetyStock: 1}),
			AddToLevel("counter_drift", name, seen, wire.LevelCounts{Available: -1, OnHand: 4, Committed: 2, BackorderLimit: 5}),
		})
		if err != nil || !slices.Equal(done, []bool{true, true}) {
			t.Fatalf("done %v, %v", done, err)
		}
		stock := c.conn.HGet(t.Context(), c.keys.Stock, name).Val()
		counts := c.conn.HGet(t.Context(), c.keys.Levels, name).Val()
		if want := joinNumbers(12, 3, 1, 5) + wire.UnitSeparator + "1-2"; stock != "5" || counts != want {
			t.Errorf("available %s, counts %q, want 5 and %q", stock, counts, want)
		}
	})
}

// TestCompensate_Large checks that steps of large reservations are undone in several calls: each writes
// one entry, and undoes few parts.
func TestCompensate_Large(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		const lines, reservations = 100, 6
		chunk, record := tee("", wire.StateConfirmed, 2, deadline)
		chunk.Levels[0].OnHand, chunk.Levels[0].Committed, chunk.Reservations = lines*reservations, lines*reservations, nil
		one := record.Lines[0]
		record.Lines = nil
		for i := range lines {
			one.Line = fmt.Sprint(i)
			record.Lines = append(record.Lines, one)
		}
		var list []Undoing
		for i := range reservations {
			id := fmt.Sprint("r", i)
			target := record
			target.State, target.Version = wire.StateHeld, 3
			chunk.Reservations = append(chunk.Reservations, wire.ReservationRow{ID: id, Record: record})
			list = append(list, Undoing{Step: wire.Step{ID: id, CreationNonce: record.CreationNonce, Version: 2}, Target: &target})
		}
		c := rebuilt(t, e, chunk)
		before := c.conn.XLen(t.Context(), c.keys.Events).Val()
		if gone, err := c.Compensate(t.Context(), list); err != nil || len(gone) != 0 {
			t.Fatalf("gone %v, %v", gone, err)
		}
		if n := c.conn.XLen(t.Context(), c.keys.Events).Val() - before; n != reservations {
			t.Errorf("%d entries, want one for each reservation", n)
		}
		for _, u := range list {
			text := c.conn.HGet(t.Context(), c.keys.Reservations, u.Step.ID).Val()
			if r, err := wire.DecodeRecord(text); err != nil || r.State != wire.StateHeld || len(r.Lines) != lines {
				t.Errorf("%s is %s with %d lines, %v", u.Step.ID, r.State, len(r.Lines), err)
			}
		}
		if counts := c.conn.HGet(t.Context(), c.keys.Levels, wire.LevelField("TEE", "berlin")).Val(); counts != joinNumbers(lines*reservations, 0, 0, 0) {
			t.Errorf("counts %q, want nothing committed", counts)
		}
	})
}
