package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/testserver"
)

// StartPooler starts a PgBouncer in front of the database at url, and returns the URL that leads
// through it. mode is its pool_mode. It has no more than size connections to the server. It ends with
// the test.
func StartPooler(tb testing.TB, url, mode string, size int) string {
	tb.Helper()
	server, err := pgx.ParseConfig(url)
	if err != nil {
		tb.Fatal(err)
	}
	address := func(s *testserver.Server) string {
		return "postgres://" + superuser + "@" + s.Addr() + "/" + server.Database + "?sslmode=disable"
	}
	s := testserver.Start(tb, testserver.Program{
		Name: "pgbouncer", Users: users, Ports: 1,
		Command: func(s *testserver.Server) (*exec.Cmd, error) {
			path, err := poolerPath()
			if err != nil {
				return nil, err
			}
			file := filepath.Join(s.Dir, "pgbouncer.ini")
			settings := fmt.Sprintf(`[databases]
* = host=%s port=%d user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
default_pool_size = %d
pidfile = %s
`, server.Host, server.Port, server.User, s.Port, mode, size, filepath.Join(s.Dir, "pid"))
			return exec.Command(path, file), os.WriteFile(file, []byte(settings), 0o644) //nolint:gosec // another user reads it
		},
		Ready: func(ctx context.Context, s *testserver.Server, pid int) error {
			if text, _ := os.ReadFile(filepath.Join(s.Dir, "pid")); strings.TrimSpace(string(text)) != strconv.Itoa(pid) {
				return errors.New("the file pid has another process id")
			}
			conn, err := pgx.Connect(ctx, address(s))
			if err == nil {
				err = conn.Close(ctx)
			}
			return err
		},
	})
	return address(s)
}

func poolerPath() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("pgbouncer is neither in PATH nor in /usr/sbin; install it with apt-get install pgbouncer")
}
