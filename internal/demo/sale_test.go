package demo

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/internal/redistest"
)

// small returns the options of a sale that takes two or three seconds.
func small(t *testing.T) Options {
	return Options{
		Buyers: 600, Units: 40, Seed: uint64(time.Now().UnixNano()), Duration: 3 * time.Second,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func embedded(t *testing.T) redis.UniversalClient {
	t.Helper()
	r, err := dial.Open(config.Endpoint{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r.Client
}

func TestRunOnTheEmbeddedEngine(t *testing.T) {
	t.Parallel()
	testRun(t, embedded(t))
}

func TestRunOnRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	testRun(t, server.Client(t))
}

func TestRunOnCluster(t *testing.T) {
	t.Parallel()
	for _, e := range redistest.Engines(t) {
		if e.Name == "cluster" {
			e.Flush(t)
			testRun(t, e.Client)
		}
	}
}

func testRun(t *testing.T, client redis.UniversalClient) {
	if err := client.Set(t.Context(), "somebody's", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	o := small(t)
	var mu sync.Mutex
	var moments []Moment
	o.Watch = func(m Moment) {
		mu.Lock()
		defer mu.Unlock()
		moments = append(moments, m)
	}
	r, err := Run(t.Context(), client, o)
	if err != nil {
		t.Fatalf("seed %d: %v", o.Seed, err)
	}
	if !r.OK || r.Err() != nil {
		t.Errorf("seed %d: %v", o.Seed, r.Err())
	}
	all := r.Total
	if all.Units != 100 || all.Sold+all.Left != all.Units || all.Sold < 20 || all.Fulfilled < 1 ||
		all.Released+all.Expired < 1 || all.Refused < 100 || all.Replays < 1 ||
		all.MostOut < 50 || all.MostOut > 100 || all.Oversold != 0 || all.Drift != 0 || all.Lost != 0 || all.Held != 0 {
		t.Errorf("seed %d: the totals are not those of a flash sale: %+v", o.Seed, all)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(moments) < 5 || moments[len(moments)-1].Sold == 0 {
		t.Errorf("watched only %+v", moments)
	}
	if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 1 {
		t.Errorf("%d keys are left, %v; only the one that was there before may be: is a key missing in storeKeys?", n, err)
	}
}

func TestRunRefusesKeysInUse(t *testing.T) {
	client := embedded(t)
	for _, key := range append([]string{claimKey}, storeKeys...) {
		if err := client.Set(t.Context(), key, "precious", 0).Err(); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), client, small(t))
		var inUse *InUseError
		if !errors.As(err, &inUse) || inUse.Keys != 1 || !strings.Contains(err.Error(), "redis-cli del") {
			t.Errorf("%s in use: got %v", key, err)
		}
		if n := client.DBSize(t.Context()).Val(); n != 1 || client.Get(t.Context(), key).Val() != "precious" {
			t.Errorf("%s in use: it was touched, or one of %d keys was left behind", key, n)
		}
		client.FlushAll(t.Context())
	}
}

func TestRunCleansUpWhenInterrupted(t *testing.T) {
	t.Parallel()
	client := embedded(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := small(t)
	o.Watch = func(Moment) { cancel() }
	if r, err := Run(ctx, client, o); r != nil || err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("got %+v, %v", r, err)
	}
	if keys := client.Keys(t.Context(), "*").Val(); len(keys) != 0 {
		t.Errorf("left behind: %v", keys)
	}
}

func TestRunFailsWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client(t)
	o := small(t)
	o.silence = 200 * time.Millisecond
	o.Watch = func(Moment) { server.Kill() }
	started := time.Now()
	r, err := Run(t.Context(), client, o)
	if r != nil || !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("got %+v, %v", r, err)
	}
	if took := time.Since(started); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}
