package pgtest

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/testserver"
)

func TestStart(t *testing.T) {
	var dir, addr string
	t.Run("is durable", func(t *testing.T) {
		s := Start(t)
		dir, addr = s.Dir, s.Addr()
		conn := connect(t, s.URL())
		for setting, want := range map[string]string{
			"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
			"listen_addresses": "127.0.0.1", "max_connections": "100", "server_encoding": "UTF8",
		} {
			if got := value(t, conn, "show "+setting); got != want {
				t.Errorf("%s = %q, want %q", setting, got, want)
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
	t.Run("settings win", func(t *testing.T) {
		s := Start(t, "fsync=off", "max_connections=20")
		conn := connect(t, s.URL())
		if fsync, most := value(t, conn, "show fsync"), value(t, conn, "show max_connections"); fsync != "off" || most != "20" {
			t.Errorf("fsync %s, max_connections %s", fsync, most)
		}
	})
}

func TestStart_RootGivesUpItsRights(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root, so the server has no more rights than the test")
	}
	s := Start(t, "fsync=off")
	entries, err := os.ReadDir(data(s.Dir))
	if err != nil || len(entries) < 10 {
		t.Fatalf("%d files in the data directory, %v", len(entries), err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Sys().(*syscall.Stat_t).Uid == 0 {
			t.Errorf("%s belongs to root", info.Name())
		}
	}
}

func TestStart_Failures(t *testing.T) {
	t.Run("bad setting", func(t *testing.T) {
		_, err := testserver.Launch(program([]string{"fsync=sometimes"}))
		if err == nil || !strings.Contains(err.Error(), "requires a Boolean value") {
			t.Errorf("error %v does not show the log", err)
		}
	})
	t.Run("no such program", func(t *testing.T) {
		_, err := command("postgres-of-nowhere")
		if err == nil || !strings.Contains(err.Error(), "apt-get install postgresql-15") {
			t.Errorf("error %v does not say what to install", err)
		}
	})
	t.Run("port taken", func(t *testing.T) {
		other, s := Start(t, "fsync=off"), Start(t, "fsync=off")
		s.Kill()
		s.Port = other.Port
		if err := s.StartOnPort(); err == nil {
			t.Error("started on a port that is taken")
		}
		connect(t, other.URL())
	})
}

// A commit survives a kill, an open transaction does not.
func TestServer_Kill(t *testing.T) {
	s := Start(t)
	conn, addr, pid := connect(t, s.URL()), s.Addr(), s.Pid()
	execute(t, conn, "create table kept (n bigint primary key)")
	execute(t, conn, "insert into kept select generate_series(1, 1000)")
	execute(t, connect(t, s.URL()), "begin; insert into kept values (0)")
	busy := connect(t, s.URL())
	failed := make(chan error)
	go func() {
		_, err := busy.Exec(context.Background(), "select count(*) from generate_series(1, 1000000000)")
		failed <- err
	}()
	awaitQuery(t, s)
	children := testserver.Children(s.Pid())
	defer testserver.Release(children)

	s.Kill()
	s.Kill() // does nothing
	if err := <-failed; err == nil {
		t.Error("a query outlived the server")
	}
	if s.Pid() != 0 || listening(addr) {
		t.Errorf("after Kill: pid %d, listening %t", s.Pid(), listening(addr))
	}
	if len(children) < 5 {
		t.Errorf("%d children were found", len(children))
	}
	for _, child := range children {
		if !testserver.Ended(child) {
			t.Errorf("child %d is still there", child.Pid)
		}
	}

	s.Restart()
	if s.Addr() != addr || s.Pid() == pid || s.Pid() == 0 {
		t.Errorf("after Restart: %s, pid %d; before %s, %d", s.Addr(), s.Pid(), addr, pid)
	}
	if got := value(t, connect(t, s.URL()), "select count(*) || ' from ' || min(n) from kept"); got != "1000 from 1" {
		t.Errorf("after Restart: %s", got)
	}
	if !strings.Contains(s.Log(), "was not properly shut down") {
		t.Error("the server did not have to recover, so it was not killed")
	}
	s.Kill() // the end of the test also removes a killed server
}

// awaitQuery waits until a query of another connection is running.
func awaitQuery(t *testing.T, s *Server) {
	t.Helper()
	const running = `select count(*)::text from pg_stat_activity
		where state = 'active' and backend_type = 'client backend' and pid <> pg_backend_pid()`
	conn := connect(t, s.URL())
	if !testserver.Await(func() bool { return value(t, conn, running) != "0" }) {
		t.Fatal("the query does not run")
	}
}

// If somebody kills only the postmaster, a busy child holds the shared memory for a moment.
func TestServer_Restart_AfterForeignKill(t *testing.T) {
	s := Start(t, "fsync=off")
	busy := connect(t, s.URL())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = busy.Exec(context.Background(), "select count(*) from generate_series(1, 3000000)")
	}()
	awaitQuery(t, s)
	if err := syscall.Kill(s.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	if got := value(t, connect(t, s.URL()), "select 1::text"); got != "1" {
		t.Error(got)
	}
	<-ended
}

func TestServer_Pause(t *testing.T) {
	s := Start(t, "fsync=off")
	conn := connect(t, s.URL())
	execute(t, conn, "create table calls (n bigint)")

	s.Pause()
	// A child serves an existing connection; the postmaster takes new ones.
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(ctx, "insert into calls values (1)"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a paused server's child: %v; want no answer", err)
	}
	if fresh, err := pgx.Connect(ctx, s.URL()); err == nil {
		_ = fresh.Close(t.Context())
		t.Error("a paused server takes connections")
	}

	s.Resume()
	if got := value(t, connect(t, s.URL()), "select count(*)::text from calls"); got != "0" && got != "1" {
		t.Errorf("after Resume: %s calls", got)
	}
	for range 5 {
		s.Pause()
		for _, child := range testserver.Children(s.Pid()) {
			if !testserver.Stopped(child.Pid) && !testserver.Ended(child) {
				t.Errorf("Pause returned before child %d had stopped", child.Pid)
			}
			_ = child.Release()
		}
		s.Resume()
	}
	s.Pause() // the end of the test also ends a stopped server
}
