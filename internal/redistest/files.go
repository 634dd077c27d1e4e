package redistest

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Empty removes what a server that is not running had persisted: it starts as a new one.
func (s *Server) Empty() {
	s.tb.Helper()
	for _, name := range []string{"appendonlydir", "dump.rdb"} {
		if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
			s.tb.Error(err)
		}
	}
}

// AppendOnlySize is the size of the newest incremental append-only file, bytes; 0 where there is none.
// The server must run with --appendonly yes.
func (s *Server) AppendOnlySize() int64 {
	s.tb.Helper()
	info, err := os.Stat(s.newestIncrement())
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err != nil {
		s.tb.Error(err)
		return 0
	}
	return info.Size()
}

// CutAppendOnly cuts the newest incremental append-only file of a server that is not running back to
// size: what a power loss leaves of what was not on disk yet.
func (s *Server) CutAppendOnly(size int64) {
	s.tb.Helper()
	if err := os.Truncate(s.newestIncrement(), size); err != nil {
		s.tb.Error(err)
	}
}

// newestIncrement is the file that is appended to: the highest of appendonly.aof.N.incr.aof.
func (s *Server) newestIncrement() string {
	names, _ := filepath.Glob(filepath.Join(s.dir, "appendonlydir", "*.incr.aof")) // the pattern is right
	newest, path := -1, filepath.Join(s.dir, "appendonlydir", "none")
	for _, name := range names {
		parts := strings.Split(filepath.Base(name), ".")
		if n, err := strconv.Atoi(parts[max(0, len(parts)-3)]); err == nil && n > newest {
			newest, path = n, name
		}
	}
	return path
}
