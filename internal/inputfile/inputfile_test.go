package inputfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var kind = Kind{"a list", 4 << 10}

func TestRead(t *testing.T) {
	defer func(wait time.Duration) { PipeWait = wait }(PipeWait)
	PipeWait = 20 * time.Millisecond
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	fits := strings.Repeat("x", 4<<10)
	for name, c := range map[string]struct{ path, text, fault string }{
		"a file":                {file("small", "text"), "text", ""},
		"the largest":           {file("fits", fits), fits, ""},
		"too large":             {file("large", fits+"x"), "", "large: is larger than 4 KiB, the most that a list may have"},
		"a folder":              {folder, "", "is a folder"},
		"a device":              {"/dev/zero", "", "/dev/zero: is a device"},
		"the null device":       {os.DevNull, "", ""},
		"none":                  {filepath.Join(folder, "none"), "", "no such file"},
		"a pipe without writer": {pipe, "", "is a pipe that no program writes to"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := kind.Read(c.path)
			if c.fault == "" && (err != nil || string(text) != c.text) || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("got %d bytes, %v", len(text), err)
			}
		})
	}
}

// TestReadPipe reads a named pipe whose writer opens it together with the reader.
func TestReadPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(pipe, []byte("text"), 0o600) }()
	text, err := kind.Read(pipe)
	if err != nil || string(text) != "text" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}
