// Package inputfile opens the files that people name. It refuses what never ends: folders, devices, pipes
// that nobody writes to, and files beyond a limit.
package inputfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Kind is a kind of file and the most bytes that one may have.
type Kind struct {
	Name     string // such as "a configuration"
	BytesMax int64
}

// PipeWait is how long Open waits for a program that writes to a named pipe. Tests shorten it.
var PipeWait = 5 * time.Second

// Open opens a regular file, a pipe, or the null device. It does not limit what is read.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.Unwrap(err)}
	}
	switch mode := info.Mode(); {
	case mode.IsRegular() || isNull(info):
		return os.Open(path)
	case mode&fs.ModeNamedPipe != 0:
		return openPipe(path)
	case mode.IsDir():
		return nil, refuse(path, "is a folder: name a file in it")
	default:
		return nil, refuse(path, "is a device or a socket: name a regular file or a pipe")
	}
}

// isNull reports whether info is that of the null device, which is an empty file.
func isNull(info fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
}

// openPipe opens a named pipe. Opening it waits for a writer.
func openPipe(path string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(path)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-time.After(PipeWait):
	}
	// A writer that comes and goes ends the wait of the goroutine.
	if writer, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
		_ = writer.Close()
		if o := <-done; o.err == nil {
			_ = o.file.Close()
		}
	}
	return nil, refuse(path, "is a pipe that no program writes to: start the writer first, or name a regular file")
}

func refuse(path, why string) error {
	return &fs.PathError{Op: "open", Path: path, Err: errors.New(why)}
}

// Read reads a whole file.
func (k Kind) Read(path string) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(k.Limit(path, file))
	return text, errors.Join(err, file.Close())
}

// Limit returns a reader that fails after BytesMax bytes. name is the name of the file in the error.
func (k Kind) Limit(name string, r io.Reader) io.Reader {
	return &limited{r, name, k, k.BytesMax}
}

type limited struct {
	from io.Reader
	name string
	kind Kind
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, &fs.PathError{Op: "read", Path: l.name, Err: fmt.Errorf(
			"is larger than %s, the most that %s may have", size(l.kind.BytesMax), l.kind.Name)}
	}
	return n, err
}

// size formats a whole number of KiB, MiB or GiB.
func size(bytes int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	for len(units) > 1 && bytes%1024 == 0 {
		bytes, units = bytes/1024, units[1:]
	}
	return fmt.Sprintf("%d %s", bytes, units[0])
}
