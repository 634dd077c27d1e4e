package shard

import (
	"errors"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// TestInspect_Refused inspects a Redis that refuses to set up the connection.
func TestInspect_Refused(t *testing.T) {
	server := redistest.Start(t)
	admin := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = admin.Close() }()
	if err := admin.ConfigSet(t.Context(), "requirepass", "right").Err(); err != nil {
		t.Fatal(err)
	}
	for name, password := range map[string]string{"no password": "", "a wrong password": "wrong"} {
		t.Run(name, func(t *testing.T) {
			client := redis.NewClient(&redis.Options{Addr: server.Addr(), Password: password, MaxRetries: -1, DialerRetries: 1, Protocol: 2})
			defer func() { _ = client.Close() }()
			conn, err := Open(t.Context(), client, "holdfast", 0)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if id, err := conn.Inspect(t.Context()); !errors.Is(err, wire.ErrUnavailable) {
				t.Errorf("%+v, %v: want ErrUnavailable", id, err)
			}
		})
	}
}
