package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/testserver"
)

const (
	// startTimeout bounds everything that is waited for: a start with loading, a stop, a cluster.
	startTimeout = 20 * time.Second
	// startAttemptsMax is how many ports are tried: between finding a free port and the server
	// taking it, the server of another test binary may have taken it.
	startAttemptsMax = 10

	logName = "redis.log"
)

// launch makes a directory and a server in it. The caller discards it.
func launch(args []string, cluster bool) (*Server, error) {
	user, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := testserver.Dir("holdfast-redis-", user)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, args: args, cluster: cluster}
	for range startAttemptsMax {
		if err != nil {
			break
		}
		if s.port, err = testserver.FreePort(2); err != nil {
			break
		}
		if err = s.begin(); err == nil {
			return s, nil
		}
		if testserver.PortsFree(s.port, 2) {
			break // the port was not the trouble, so another one is no cure
		}
		err = nil
	}
	s.discard()
	if err == nil {
		err = fmt.Errorf("redis-server: no port after %d attempts", startAttemptsMax)
	}
	return nil, err
}

// begin starts the process and waits until it answers.
func (s *Server) begin() error {
	p, err := spawn(s.dir, s.commandLine())
	if err != nil {
		return err
	}
	if err := s.await(p, s.answers); err != nil {
		p.kill()
		return s.failure("start", err)
	}
	s.process = p
	return nil
}

func (s *Server) commandLine() []string {
	line := []string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning",
		// To standard output, which is the log file: so what Redis says before it has read its
		// options is kept too.
		"--logfile", "",
	}
	if s.cluster {
		line = append(line, "--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1",
			"--cluster-port", strconv.Itoa(s.port+1))
	}
	return append(line, s.args...)
}

// check tells whether a server is ready, and what is missing.
type check func(context.Context, *redis.Client, *process) error

// await polls until ready succeeds, and gives up when the process ends.
func (s *Server) await(p *process, ready check) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	client := redis.NewClient(options(s.Addr()))
	defer func() { _ = client.Close() }()
	for b := testserver.NewBackoff(); ; {
		err := ready(ctx, client, p)
		if err == nil {
			return nil
		}
		select {
		case <-p.Exited:
			return errors.New("it ended by itself")
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %w", startTimeout, err)
		case <-b.Next():
		}
	}
}

// answers tells whether the server at our address is our process (and not that of another test
// binary, which took the port first) and has finished loading.
func (s *Server) answers(ctx context.Context, client *redis.Client, p *process) error {
	// Before the client, which logs each failure to dial.
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		return err
	}
	_ = conn.Close()
	info, err := client.Info(ctx, "server").Result()
	if err != nil {
		return err
	}
	if !strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", p.Pid)) {
		return errors.New("another server has the port")
	}
	return client.Ping(ctx).Err()
}

func (s *Server) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	_ = os.RemoveAll(s.dir) // a leftover in the temporary folder is no reason to fail a test
}

func (s *Server) log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, logName))
	if err != nil {
		return err.Error()
	}
	return string(text)
}
