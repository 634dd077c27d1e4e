package cache

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// silentLedger answers nothing but the position. Each call waits until its context ends.
type silentLedger struct{ position wire.Position }

func silent(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("%w: %w", ErrNotDurable, ctx.Err())
}

func (l silentLedger) Loading(ctx context.Context, check func(context.Context, wire.Position) error) error {
	return check(ctx, l.position)
}

func (silentLedger) Suspect()                                        {}
func (silentLedger) Epoch(ctx context.Context) (uint64, error)       { return 0, silent(ctx) }
func (silentLedger) Durable() bool                                   { return true }
func (silentLedger) Await(ctx context.Context, _ wire.Awaited) error { return silent(ctx) }
func (silentLedger) Levels(ctx context.Context, _ location.SKU) ([]Level, error) {
	return nil, silent(ctx)
}

func (silentLedger) Reservation(ctx context.Context, _ string) (wire.ReservationRow, error) {
	return wire.ReservationRow{}, silent(ctx)
}

func (silentLedger) ResolvedIDs(ctx context.Context, after ResolvedCursor, _ int) ([]string, ResolvedCursor, error) {
	return nil, after, silent(ctx)
}

func (silentLedger) Details(ctx context.Context, _ string) (wire.Details, error) {
	return wire.Details{}, silent(ctx)
}

func (silentLedger) Operation(ctx context.Context, id string) (Operation, error) {
	if id == "unknown to both" {
		return Operation{}, silent(ctx)
	}
	return Operation{}, ErrNotFound
}

func (silentLedger) Since(ctx context.Context, _ int64, _ []wire.LevelName) (Since, error) {
	return Since{}, silent(ctx)
}

func (silentLedger) Short(ctx context.Context, _ []LevelShort, _ int) ([][]ShortReservation, error) {
	return nil, silent(ctx)
}

func (silentLedger) Search(ctx context.Context, _ ReservationFilter, _ int64) ([]wire.ReservationRow, string, error) {
	return nil, "", silent(ctx)
}

func (silentLedger) LevelPage(ctx context.Context, _ LevelFilter) (LevelPage, error) {
	return LevelPage{}, silent(ctx)
}

// everyCall is one call of each method that asks Redis or the ledger, and an error that it may return
// beside nil if the ledger is silent.
var everyCall = []struct {
	name string
	when func(*Store, context.Context) error
}{
	{"reserve", func(s *Store, ctx context.Context) error {
		_, err := s.Reserve(ctx, order("held", "1:TEE:1"))
		return err
	}},
	{"extend", func(s *Store, ctx context.Context) error {
		_, err := s.Extend(ctx, ExtendRequest{ID: "held"})
		return err
	}},
	{"confirm", func(s *Store, ctx context.Context) error {
		_, err := s.Confirm(ctx, TransitionRequest{ID: "held"})
		return err
	}},
	{"fulfill", func(s *Store, ctx context.Context) error {
		_, err := s.Fulfill(ctx, TransitionRequest{ID: "held"})
		return err
	}},
	{"release", func(s *Store, ctx context.Context) error {
		_, err := s.Release(ctx, TransitionRequest{ID: "held"})
		return err
	}},
	{"move", func(s *Store, ctx context.Context) error {
		_, err := s.Move(ctx, MoveRequest{ID: "held", Version: 3, Line: "1", To: "lyon"})
		return err
	}},
	{"amend", func(s *Store, ctx context.Context) error {
		_, err := s.Amend(ctx, AmendRequest{ID: "held", Version: 3, Lines: amendments("1:2 2:1:TEE")})
		return err
	}},
	{"return", func(s *Store, ctx context.Context) error {
		_, err := s.Return(ctx, ReturnRequest{ID: "ret", Reservation: "held", To: "lyon", Lines: parts("1:1")})
		return err
	}},
	{"describe", func(s *Store, ctx context.Context) error {
		_, err := s.Describe(ctx, DescribeRequest{ID: "held"})
		return err
	}},
	{"unfulfill", func(s *Store, ctx context.Context) error {
		_, err := s.Unfulfill(ctx, UnfulfillRequest{ID: "unship", Reservation: "held", Lines: parts("1:1")})
		return err
	}},
	{"fulfill with the id of an operation", func(s *Store, ctx context.Context) error {
		_, err := s.Fulfill(ctx, TransitionRequest{ID: "held", Operation: "ship", Lines: parts("1:1")})
		return err
	}},
	{"release of what only the ledger may know", func(s *Store, ctx context.Context) error {
		_, err := s.Release(ctx, TransitionRequest{ID: "none"})
		return err
	}},
	{"adjust", func(s *Store, ctx context.Context) error {
		_, err := s.Adjust(ctx, AdjustRequest{ID: "count", Changes: []Change{tee(Change{OnHand: units(9)})}})
		return err
	}},
	{"adjust whose id is not known", func(s *Store, ctx context.Context) error {
		_, err := s.Adjust(ctx, AdjustRequest{ID: "unknown to both", Changes: []Change{tee(Change{OnHand: units(9)})}})
		return err
	}},
	{"count as of", func(s *Store, ctx context.Context) error {
		_, err := s.Adjust(ctx, AdjustRequest{ID: "asof", AsOf: time.UnixMilli(1), Changes: []Change{tee(Change{OnHand: units(9)})}})
		return err
	}},
	{"transfer", func(s *Store, ctx context.Context) error {
		_, err := s.Transfer(ctx, tees("t", "berlin", "lyon", 1))
		return err
	}},
	{"remove", func(s *Store, ctx context.Context) error {
		_, err := s.Remove(ctx, RemoveRequest{SKU: "MUG", Location: "berlin"})
		return err
	}},
	{"remove what is gone", func(s *Store, ctx context.Context) error {
		_, err := s.Remove(ctx, RemoveRequest{SKU: "NONE", Location: "berlin"})
		return err
	}},
	{"reservation", func(s *Store, ctx context.Context) error { _, err := s.Reservation(ctx, "none"); return err }},
	{"levels", func(s *Store, ctx context.Context) error { _, err := s.Levels(ctx, "TEE"); return err }},
	{"list", func(s *Store, ctx context.Context) error { _, err := s.LevelPage(ctx, LevelFilter{}); return err }},
	{"search", func(s *Store, ctx context.Context) error { _, err := s.Search(ctx, ReservationFilter{}); return err }},
	{"availability", func(s *Store, ctx context.Context) error {
		_, err := s.Availability(ctx, AvailabilityRequest{SKUs: []location.SKU{"TEE"}})
		return err
	}},
	{"route", func(s *Store, ctx context.Context) error { _, err := s.Route(ctx, order("", "1:NONE:1")); return err }},
	{"expire", func(s *Store, ctx context.Context) error { _, _, err := s.Expire(ctx); return err }},
	{"ready", func(s *Store, ctx context.Context) error { return s.Ready(ctx) }},
}

// TestTimeout_Ledger makes every call with a ledger that never answers. Each call returns.
func TestTimeout_Ledger(t *testing.T) {
	e := redistest.Engines(t)[0]
	e.Flush(t)
	k := wire.KeysOf("silent", 0)
	ctx := context.Background()
	if err := errors.Join(
		e.Client.HSet(ctx, k.Stock, wire.FieldEpoch, "1", wire.LevelField("TEE", "berlin"), "5", wire.LevelField("MUG", "berlin"), "5", wire.FieldLocations, "1").Err(),
		e.Client.HSet(ctx, k.Levels, wire.LevelField("TEE", "berlin"), "5\x1f0\x1f0\x1f0", wire.LevelField("MUG", "berlin"), "5\x1f0\x1f0\x1f0", wire.FieldLocations, "berlin").Err(),
		e.Client.XAdd(ctx, &redis.XAddArgs{Stream: k.Events, ID: "1-1", Values: []string{"v", "1", "n", "nonce", "e", "1"}}).Err(),
	); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, e.Client, Options{
		Prefix: "silent", Timeout: 300 * time.Millisecond, DurableWait: 100 * time.Millisecond, Logger: quiet,
		Ledger: silentLedger{wire.Position{Epoch: 1, Sequence: 1, Nonce: "nonce", RunID: "embedded", ReplicationID: "embedded"}},
	})
	answered := 0
	for _, c := range everyCall {
		err := inTime(t, c.name, func() error { return c.when(b.store, b.ctx) })
		t.Logf("%s: %v", c.name, err)
		if err == nil {
			answered++
		} else if !errors.Is(err, ErrNotDurable) && !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrWrongState) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if answered < 6 { // reserve, extend, lists from Redis, availability, ready: they need no ledger
		t.Errorf("only %d calls were answered", answered)
	}
}

// inTime returns the error of a call, which must return.
func inTime(t *testing.T, name string, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatalf("%s does not return", name)
		return nil
	}
}

// TestTimeout_Redis makes calls while Redis never answers, over a client that waits for ever. Each
// call returns, those that wait behind others in the queue too.
func TestTimeout_Redis(t *testing.T) {
	proxy := faultproxy.New(t, redistest.Engines(t)[0].Addr)
	stuck := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: -1, Protocol: 2, DisableIdentity: true, ReadTimeout: -1})
	b := newBench(t, stuck, Options{Prefix: "stuck", Timeout: 300 * time.Millisecond, InFlightMax: 1, Logger: quiet})
	b.store.options.Timeout = time.Minute // the first call loads the scripts
	b.stock("TEE@berlin=5")
	b.store.options.Timeout = 300 * time.Millisecond
	proxy.Blackhole(true)
	for range 3 { // the second and the third wait in the queue
		for _, c := range everyCall[:6] {
			err := inTime(t, c.name, func() error { return c.when(b.store, b.ctx) })
			if !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
	proxy.Close() // ends what still waits
}
