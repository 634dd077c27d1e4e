package redistest

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/testserver"
)

func TestStart(t *testing.T) {
	var dir, addr string
	t.Run("answers", func(t *testing.T) {
		s := Start(t)
		dir, addr = s.Dir, s.Addr()
		if s.URL() != "redis://"+addr {
			t.Errorf("URL() = %q with address %q", s.URL(), addr)
		}
		if err := s.Client(t).Ping(t.Context()).Err(); err != nil {
			t.Error(err)
		}
		for option, want := range map[string]string{"save": "", "appendonly": "no", "bind": "127.0.0.1"} {
			values, err := s.Client(t).ConfigGet(t.Context(), option).Result()
			if err != nil || values[option] != want {
				t.Errorf("config get %s = %q, %v; want %q", option, values[option], err, want)
			}
		}
	})
	t.Run("leaves nothing", func(t *testing.T) {
		if listening(addr) {
			t.Errorf("%s still listens", addr)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("stat %s: %v", dir, err)
		}
	})
}

func TestStart_RootGivesUpItsRights(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root, so the server has no more rights than the test")
	}
	s := Start(t, "--appendonly", "yes")
	s.Client(t).Set(t.Context(), "key", "value", 0)
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) < 2 {
		t.Fatalf("%d files in the directory, %v; want the log and the AOF", len(entries), err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Name() != "server.log" && info.Sys().(*syscall.Stat_t).Uid == 0 {
			t.Errorf("%s belongs to root", info.Name())
		}
	}
}

func TestStart_Failures(t *testing.T) {
	t.Run("bad option", func(t *testing.T) {
		_, err := testserver.Launch(program([]string{"--appendfsync", "sometimes"}, false))
		if err == nil || !strings.Contains(err.Error(), "sometimes") {
			t.Errorf("error %v does not show the log", err)
		}
	})
	t.Run("no redis-server", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := testserver.Launch(program(nil, false))
		if err == nil || !strings.Contains(err.Error(), "apt-get install redis-server") {
			t.Errorf("error %v does not say what to install", err)
		}
	})
	t.Run("port taken", func(t *testing.T) {
		other, s := Start(t), Start(t)
		s.Kill()
		s.Port = other.Port
		if err := s.StartOnPort(); err == nil {
			t.Error("started on a port that is taken")
		}
		if err := other.Client(t).Ping(t.Context()).Err(); err != nil {
			t.Errorf("the other server: %v", err)
		}
	})
}

func TestServer_Restart(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"persists nothing by default", nil, ""},
		{"keeps the AOF", []string{"--appendonly", "yes", "--appendfsync", "always"}, "value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := Start(t, test.args...)
			client, addr, pid := s.Client(t), s.Addr(), s.Pid()
			if err := client.Set(t.Context(), "key", "value", 0).Err(); err != nil {
				t.Fatal(err)
			}

			s.Kill()
			s.Kill() // does nothing
			if s.Pid() != 0 || listening(addr) {
				t.Errorf("after Kill: pid %d, listening %v", s.Pid(), listening(addr))
			}
			if err := client.Ping(t.Context()).Err(); err == nil {
				t.Error("a killed server answers")
			}

			s.Restart()
			if s.Addr() != addr || s.Pid() == pid || s.Pid() == 0 {
				t.Errorf("after Restart: %s, pid %d; before %s, %d", s.Addr(), s.Pid(), addr, pid)
			}
			got, err := client.Get(t.Context(), "key").Result()
			if got != test.want || (err != nil && !errors.Is(err, redis.Nil)) {
				t.Errorf("get = %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestServer_Pause(t *testing.T) {
	s := Start(t)
	client := s.Client(t)
	if err := warm(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	checkPause(t, s, client)
	for range 20 {
		s.Pause()
		if !testserver.Stopped(s.Pid()) {
			t.Fatal("Pause returned before the server had stopped")
		}
		s.Resume()
	}
	s.Pause() // the end of the test also ends a stopped server
}

// warm fills the pool of a client. A repeated command takes another connection. A new connection
// would not get past its handshake while the server is paused.
func warm(ctx context.Context, client *redis.Client) error {
	for range 5 {
		conn := client.Conn()
		defer func() { _ = conn.Close() }() // not in the loop, or each turn would get the same one
		if err := conn.Ping(ctx).Err(); err != nil {
			return err
		}
	}
	return nil
}

// checkPause also shows that a warm client repeats nothing: each repetition would add to the count.
func checkPause(t *testing.T, s *Server, client redis.UniversalClient) {
	t.Helper()
	if err := client.Set(t.Context(), "count", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}

	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := client.Incr(ctx, "count").Err()
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("a paused server: %v; want a timeout", err)
	}

	s.Resume()
	// The server still runs the call that its client gave up.
	if got, err := client.Incr(t.Context(), "count").Result(); got != 3 || err != nil {
		t.Errorf("after Resume: incr = %d, %v; want 3", got, err)
	}
}

func listening(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
