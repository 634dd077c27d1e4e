package cache

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
)

// noon is the time of the tests of NotAfter.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// dated has each call that takes a NotAfter. In order, each succeeds.
var dated = []struct {
	name string
	call func(*bench, time.Time) (replay bool, err error)
}{
	{"reserve", func(b *bench, at time.Time) (bool, error) {
		r := order("ord", "1:TEE:2")
		r.NotAfter = at
		result, err := b.store.Reserve(b.ctx, r)
		return result.Replay, err
	}},
	{"extend", func(b *bench, at time.Time) (bool, error) {
		result, err := b.store.Extend(b.ctx, ExtendRequest{ID: "ord", TTL: time.Minute, Version: 1, NotAfter: at})
		return result.Replay, err
	}},
	{"move", func(b *bench, at time.Time) (bool, error) {
		result, err := b.store.Move(b.ctx, MoveRequest{ID: "ord", Version: 2, Line: "1", To: "lyon", NotAfter: at})
		return result.Replay, err
	}},
	{"confirm", func(b *bench, at time.Time) (bool, error) {
		result, err := b.store.Confirm(b.ctx, TransitionRequest{ID: "ord", NotAfter: at})
		return result.Replay, err
	}},
	{"transfer", func(b *bench, at time.Time) (bool, error) {
		r := tees("van", "berlin", "lyon", 1)
		r.NotAfter = at
		result, err := b.store.Transfer(b.ctx, r)
		return result.Replay, err
	}},
	{"adjust", func(b *bench, at time.Time) (bool, error) {
		result, err := b.store.Adjust(b.ctx, AdjustRequest{ID: "op", NotAfter: at, Changes: []Change{tee(Change{Delta: units(-1)})}})
		return result.Replay, err
	}},
}

// TestNotAfter makes each call too late, in time, and again. A late call changes nothing, even if it is
// a repeat.
func TestNotAfter(t *testing.T) {
	e := redistest.Engines(t)[0]
	e.Flush(t)
	b := newBench(t, e.Client, Options{})
	b.stock("TEE@berlin=9 TEE@lyon=9")
	now := noon
	b.store.shard.Now = func() time.Time { return now }
	for _, c := range dated {
		refused := func(what string) {
			t.Helper()
			before := b.state(0)
			_, err := c.call(b, noon)
			var late *ExpiredRequestError
			if !errors.As(err, &late) || !errors.Is(err, ErrExpiredRequest) || !late.NotAfter.Equal(noon) || !late.Now.Equal(now) {
				t.Errorf("%s %s: %v", c.name, what, err)
			}
			equal(t, c.name+" "+what, b.state(0), before)
		}
		now = noon.Add(time.Millisecond)
		refused("late")
		now = noon
		if replay, err := c.call(b, noon); err != nil || replay {
			t.Errorf("%s in time: replay %t, %v", c.name, replay, err)
		}
		if replay, err := c.call(b, noon); err != nil || !replay {
			t.Errorf("%s again: replay %t, %v", c.name, replay, err)
		}
		now = noon.Add(time.Millisecond)
		refused("again, late")
	}
	for _, verb := range []Verb{VerbRelease, VerbFulfill} {
		_, err := b.store.transition(b.ctx, verb, TransitionRequest{ID: "ord", NotAfter: noon})
		equal(t, string(verb), toldError(err), fmt.Sprintf("invalid_request | /not_after is not for %s, which takes no units: leave it out", verb))
	}
	late := order("dry", "1:TEE:1")
	late.NotAfter = noon
	if route, err := b.store.Route(b.ctx, late); err != nil || route.Refusal != nil {
		t.Errorf("route ignores NotAfter: %v, %v", route.Refusal, err)
	}
}

// TestNotAfter_Sent lets the time pass after each call was accepted, before its batch is sent.
func TestNotAfter_Sent(t *testing.T) {
	e := redistest.Engines(t)[0]
	e.Flush(t)
	b := newBench(t, e.Client, Options{})
	b.stock("TEE@berlin=9 TEE@lyon=9")
	clock, now := b.store.shard.Clock, noon
	b.store.shard.Now = func() time.Time { return now }
	b.store.shard.Clock = func() string { // called for each batch, after its requests were taken from the queue
		now = now.Add(time.Second)
		return clock()
	}
	for _, c := range dated {
		before := b.state(0)
		now = noon
		if _, err := c.call(b, noon); !errors.Is(err, ErrExpiredRequest) {
			t.Errorf("%s: %v", c.name, err)
		}
		equal(t, c.name, b.state(0), before)
		now = noon
		if _, err := c.call(b, noon.Add(time.Second)); err != nil {
			t.Errorf("%s in time: %v", c.name, err)
		}
	}
}

// TestNotAfter_Queue lets the time of some queued requests pass. The others of their batch are sent.
func TestNotAfter_Queue(t *testing.T) {
	b, first, open := newBlockedBench(t.Context(), t, Options{})
	defer open()
	var passed atomic.Bool
	b.store.shard.Now = func() time.Time {
		if passed.Load() {
			return noon.Add(time.Minute)
		}
		return noon
	}
	bounds := []time.Time{noon, {}, noon.Add(time.Hour), noon.Add(time.Second), {}}
	errs := make([]chan error, len(bounds))
	for i, at := range bounds {
		errs[i] = make(chan error, 1)
		r := order(fmt.Sprint(i), "1:TEE:1")
		r.NotAfter = at
		go func() {
			_, err := b.store.Reserve(b.ctx, r)
			errs[i] <- err
		}()
		b.awaitQueued(i + 1)
	}
	passed.Store(true)
	open()
	for i, at := range bounds {
		late := !at.IsZero() && at.Before(noon.Add(time.Minute))
		if err := <-errs[i]; errors.Is(err, ErrExpiredRequest) != late || err != nil && !late {
			t.Errorf("%d: %v, late %t", i, err, late)
		}
		_, err := b.store.Reservation(b.ctx, fmt.Sprint(i))
		if errors.Is(err, ErrNotFound) != late {
			t.Errorf("%d: reading it: %v, late %t", i, err, late)
		}
	}
	if first()["ok"] != 1 {
		t.Errorf("first: %v", first())
	}
}

// passing makes the time pass when it was asked for n times.
func passing(b *bench, n int64) {
	var asked atomic.Int64
	b.store.shard.Now = func() time.Time {
		if asked.Add(1) > n {
			return noon.Add(time.Second)
		}
		return noon
	}
}

// TestNotAfter_Refused lets the time pass while Redis refuses a call, which is then not sent again.
func TestNotAfter_Refused(t *testing.T) {
	server := redistest.Start(t)
	b := newBench(t, server.Client(t), Options{Timeout: time.Minute, Logger: quiet})
	b.stock("TEE@berlin=5")
	if err := b.client.Do(b.ctx, "config", "set", "min-replicas-to-write", "1").Err(); err != nil {
		t.Fatal(err)
	}
	passing(b, 2) // when the call comes, and when it is sent
	r := order("ord", "1:TEE:1")
	r.NotAfter = noon
	if _, err := b.store.Reserve(b.ctx, r); !errors.Is(err, ErrExpiredRequest) {
		t.Errorf("refused, then late: %v", err)
	}
	if n := len(b.events()); n != 1 {
		t.Errorf("%d events, want that of the count", n)
	}
}

// TestNotAfter_Unknown loses the reply of a call and lets its time pass. The call is not sent again, and
// its outcome is unknown.
func TestNotAfter_Unknown(t *testing.T) {
	server := redistest.Start(t)
	proxy := faultproxy.New(t, server.Addr())
	patient := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: -1, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = patient.Close() })
	b := newBench(t, patient, Options{Timeout: time.Minute, Logger: quiet})
	b.stock("TEE@berlin=5")
	equal(t, "warm up", reserve(order("first", "1:TEE:1"))(b), "held v1 until 600s | 1 TEE 1/1 berlin:1")
	passing(b, 2)
	r := order("ord", "1:TEE:1")
	r.NotAfter = noon
	proxy.CutReplies(1, "evalsha")
	if _, err := b.store.Reserve(b.ctx, r); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrExpiredRequest) {
		t.Errorf("lost, then late: %v", err)
	}
	if proxy.Cuts() != 1 {
		t.Errorf("%d replies were cut, want 1", proxy.Cuts())
	}
	r.NotAfter = time.Time{}
	equal(t, "again", reserve(r)(b), "again held v1 until 600s | 1 TEE 1/1 berlin:1")
	b.invariants()
}
