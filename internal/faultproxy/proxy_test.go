package faultproxy

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/holdfast/holdfast/internal/redistest"
)

// briefly is how long a test waits for bytes that must not arrive.
const briefly = 50 * time.Millisecond

// patience bounds a wait for bytes that must arrive.
const patience = time.Minute

func TestProxy_Pass(t *testing.T) {
	s := redistest.Start(t)
	client := clientOf(t, New(t, s.Addr()))
	big := strings.Repeat("0123456789abcdef\r\n", 100_000)
	if err := client.HSet(t.Context(), "hash", "big", big, "empty", "").Err(); err != nil {
		t.Fatal(err)
	}
	got, err := client.HGetAll(t.Context(), "hash").Result()
	if err != nil || len(got) != 2 || got["big"] != big {
		t.Errorf("hgetall: %d fields, big has %d bytes, %v", len(got), len(got["big"]), err)
	}
	if err := client.Get(t.Context(), "none").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("get of nothing: %v", err)
	}
	err = client.Incr(t.Context(), "hash").Err()
	if err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE") {
		t.Errorf("incr of a hash: %v", err)
	}
	pipeline := client.TxPipeline()
	var replies []*redis.IntCmd
	for range 1000 {
		replies = append(replies, pipeline.Incr(t.Context(), "count"))
	}
	if _, err := pipeline.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, reply := range replies {
		if reply.Val() != int64(i+1) {
			t.Fatalf("reply %d of the pipeline is %d", i, reply.Val())
		}
	}
}

func TestProxy_CutReplies(t *testing.T) {
	s := redistest.Start(t)
	proxy, direct := New(t, s.Addr()), s.Client(t)
	client := clientOf(t, proxy)
	if err := direct.Set(t.Context(), "other", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}

	proxy.CutReplies(2, "INcr")
	for i := range int64(2) {
		if got, err := client.Incr(t.Context(), "count").Result(); err == nil {
			t.Errorf("the answer %d came through", got)
		}
		// No wait: the command has run by the time the client loses its connection.
		if got, err := direct.Get(t.Context(), "count").Int64(); got != i+1 || err != nil {
			t.Errorf("the server has count = %d, %v; want %d", got, err, i+1)
		}
		if got := proxy.Cuts(); got != int(i+1) {
			t.Errorf("Cuts() = %d; want %d", got, i+1)
		}
		// Other commands are spared, and so are those that open the new connection used here.
		if got, err := client.Get(t.Context(), "other").Result(); got != "x" || err != nil {
			t.Errorf("another command: %q, %v", got, err)
		}
	}
	if got, err := client.Incr(t.Context(), "count").Result(); got != 3 || err != nil {
		t.Errorf("after two cuts: %d, %v; want 3", got, err)
	}

	proxy.CutReplies(1, "incr")
	proxy.CutReplies(0, "")
	if got, err := client.Incr(t.Context(), "count").Result(); got != 4 || err != nil {
		t.Errorf("after CutReplies(0): %d, %v; want 4", got, err)
	}
	if got := proxy.Cuts(); got != 2 {
		t.Errorf("Cuts() = %d; want 2", got)
	}
}

func TestProxy_CutReplies_Anything(t *testing.T) {
	s := redistest.Start(t)
	proxy := New(t, s.Addr())
	conn := dial(t, proxy)
	proxy.CutReplies(1, "")
	send(t, conn, "PING\r\n")
	if got, err := receive(conn, patience); got != "" || !ended(err) {
		t.Errorf("received %q, %v; want the end", got, err)
	}
}

func TestProxy_CutReplies_InPipeline(t *testing.T) {
	s := redistest.Start(t)
	proxy, direct := New(t, s.Addr()), s.Client(t)
	conn := dial(t, proxy)
	proxy.CutReplies(1, "decr")

	// By hand: in a broken pipeline, go-redis returns the error even for answered commands.
	send(t, conn, "INCRBY before 7\r\nDECR cut\r\nINCR after\r\n")
	if got, err := receive(conn, patience); got != ":7\r\n" {
		t.Errorf("the answer before the cut one: %q, %v", got, err)
	}
	if got, err := receive(conn, patience); got != "" || !ended(err) {
		t.Errorf("after it: %q, %v; want the end", got, err)
	}
	if got, err := direct.Get(t.Context(), "cut").Int(); got != -1 || err != nil {
		t.Errorf("the server has cut = %d, %v; want -1", got, err)
	}
}

func TestProxy_CutReplies_SparesPushes(t *testing.T) {
	server := listen(t)
	proxy := New(t, server.Addr().String())
	client := dial(t, proxy)
	upstream := accept(t, server)
	proxy.CutReplies(1, "ping")
	send(t, client, "PING\r\n")
	if got, err := receive(upstream, patience); got != "PING\r\n" {
		t.Fatalf("the server received %q, %v", got, err)
	}
	const push = ">2\r\n+invalidate\r\n*-1\r\n"
	send(t, upstream, push)
	if got, err := receive(client, patience); got != push {
		t.Errorf("received %q, %v; want the push", got, err)
	}
	send(t, upstream, "+PONG\r\n")
	if got, err := receive(client, patience); got != "" || !ended(err) {
		t.Errorf("received %q, %v; want the end", got, err)
	}
}

func TestProxy_Blackhole(t *testing.T) {
	s := redistest.Start(t)
	proxy := New(t, s.Addr())
	client, idle, before := clientOf(t, proxy), dial(t, proxy), dial(t, proxy)
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	exchange(t, idle)
	exchange(t, before)

	proxy.Blackhole(true)
	ctx, cancel := context.WithTimeout(t.Context(), briefly)
	defer cancel()
	if err := client.Incr(ctx, "count").Err(); !timedOut(err) {
		t.Errorf("incr: %v; want a timeout", err)
	}
	during := dial(t, proxy)
	for name, conn := range map[string]net.Conn{"before": before, "during": during} {
		send(t, conn, "PING\r\n")
		if got, err := receive(conn, briefly); got != "" || !timedOut(err) {
			t.Errorf("a connection from %s received %q, %v; want a timeout", name, got, err)
		}
	}

	proxy.Blackhole(false)
	if got, err := client.Incr(t.Context(), "count").Result(); got != 1 || err != nil {
		t.Errorf("afterwards: incr = %d, %v; want 1, since the first was swallowed", got, err)
	}
	exchange(t, idle)
	for name, conn := range map[string]net.Conn{"before": before, "during": during} {
		send(t, conn, "INCR count\r\n")
		if got, err := receive(conn, briefly); got != "" || !timedOut(err) {
			t.Errorf("a connection from %s received %q, %v after a loss", name, got, err)
		}
	}
	if got, err := s.Client(t).Get(t.Context(), "count").Int(); got != 1 || err != nil {
		t.Errorf("the server has count = %d, %v; want 1", got, err)
	}
}

func TestProxy_Blackhole_SwallowsReplies(t *testing.T) {
	server := listen(t)
	proxy := New(t, server.Addr().String())
	client := dial(t, proxy)
	upstream := accept(t, server)
	send(t, client, "PING\r\n")
	if got, err := receive(upstream, patience); got != "PING\r\n" {
		t.Fatalf("the server received %q, %v", got, err)
	}

	proxy.Blackhole(true)
	send(t, upstream, "+PONG\r\n")
	if got, err := receive(client, briefly); got != "" || !timedOut(err) {
		t.Errorf("received %q, %v; want a timeout", got, err)
	}
	_ = upstream.Close()
	if got, err := receive(client, briefly); got != "" || !timedOut(err) {
		t.Errorf("the server has ended: received %q, %v; want a timeout", got, err)
	}
}

func TestProxy_Refuse(t *testing.T) {
	s := redistest.Start(t)
	proxy := New(t, s.Addr())
	client, open := clientOf(t, proxy), dial(t, proxy)
	exchange(t, open)

	proxy.Refuse(true)
	for name, conn := range map[string]net.Conn{"an open": open, "a new": dial(t, proxy)} {
		if got, err := receive(conn, patience); got != "" || !ended(err) {
			t.Errorf("%s connection: %q, %v; want the end", name, got, err)
		}
	}
	if err := client.Ping(t.Context()).Err(); err == nil || timedOut(err) {
		t.Errorf("ping: %v; want a refusal", err)
	}

	proxy.Refuse(false)
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestProxy_ServerGone(t *testing.T) {
	s := redistest.Start(t)
	client := clientOf(t, New(t, s.Addr()))
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := client.Ping(t.Context()).Err(); err == nil || timedOut(err) {
		t.Errorf("a killed server: %v", err)
	}
	s.Restart()
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("a restarted server: %v", err)
	}
}

func TestProxy_Close(t *testing.T) {
	s := redistest.Start(t)
	proxy := New(t, s.Addr())
	open := dial(t, proxy)
	exchange(t, open)
	proxy.Blackhole(true)
	silent := dial(t, proxy)
	send(t, silent, "PING\r\n")

	proxy.Close()
	if len(proxy.links) != 0 { // no lock: nothing else runs
		t.Errorf("%d connections outlive Close", len(proxy.links))
	}
	proxy.Close() // does nothing
	for name, conn := range map[string]net.Conn{"open": open, "silent": silent} {
		if got, err := receive(conn, patience); got != "" || !ended(err) {
			t.Errorf("%s: received %q, %v; want the end", name, got, err)
		}
	}
	if conn, err := net.Dial("tcp", proxy.Addr()); err == nil {
		_ = conn.Close()
		t.Error("it still listens")
	}
}

func clientOf(t *testing.T, p *Proxy) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr: p.Addr(), MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}
