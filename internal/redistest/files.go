package redistest

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Empty removes the data that a server persisted. The server must not run; it starts as a new one.
func (s *Server) Empty() {
	for _, name := range []string{"appendonlydir", "dump.rdb"} {
		s.Report("empty", os.RemoveAll(filepath.Join(s.Dir, name)))
	}
}

// AppendOnlySize returns the size of the newest incremental append-only file in bytes, or 0 if there
// is none. The server must run with --appendonly yes.
func (s *Server) AppendOnlySize() int64 {
	info, err := os.Stat(s.newestIncrement())
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err != nil {
		s.Report("measure the append-only file", err)
		return 0
	}
	return info.Size()
}

// CutAppendOnly truncates the newest incremental append-only file to size, as a power loss does with
// data that was not on disk yet. The server must not run.
func (s *Server) CutAppendOnly(size int64) {
	s.Report("cut the append-only file", os.Truncate(s.newestIncrement(), size))
}

// newestIncrement returns the file that Redis appends to: the highest N of appendonly.aof.N.incr.aof.
func (s *Server) newestIncrement() string {
	names, _ := filepath.Glob(filepath.Join(s.Dir, "appendonlydir", "*.incr.aof")) // the pattern is valid
	newest, path := -1, filepath.Join(s.Dir, "appendonlydir", "none")
	for _, name := range names {
		parts := strings.Split(filepath.Base(name), ".")
		if n, err := strconv.Atoi(parts[max(0, len(parts)-3)]); err == nil && n > newest {
			newest, path = n, name
		}
	}
	return path
}
