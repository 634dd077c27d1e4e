package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/directoryfile"
	"github.com/holdfast/holdfast/internal/inputfile"
	"github.com/holdfast/holdfast/internal/stockcsv"
)

// stdio is the file name that means standard input or output.
const stdio = "-"

// The files that commands read.
var (
	planFile      = inputfile.Kind{Name: "a plan", BytesMax: 256 << 20}
	requestFile   = inputfile.Kind{Name: "a request", BytesMax: contract.BodyBytesMax}
	directoryFile = inputfile.Kind{Name: "a routing directory", BytesMax: directoryfile.BytesMax}
	centroidsFile = inputfile.Kind{Name: "a table of positions", BytesMax: 64 << 20}
	givenUpFile   = inputfile.Kind{Name: "a file of reservations", BytesMax: 4 << 30}
	stockFile     = inputfile.Kind{Name: "a stock file", BytesMax: stockcsv.BytesMax}
)

// readFile reads a whole file, or standard input if path is -. name is its name in errors.
func (m *Main) readFile(path string, kind inputfile.Kind) (name string, text []byte, err error) {
	name, file, err := m.open(path)
	if err != nil {
		return name, nil, err
	}
	defer func() { _ = file.Close() }() // only read
	from, end := m.reading(name, kind.Limit(name, file))
	defer end()
	text, err = io.ReadAll(from)
	return name, text, err
}

// open opens a file, or standard input if path is -. name is its name in errors.
func (m *Main) open(path string) (name string, file io.ReadCloser, err error) {
	if path == stdio {
		return "stdin", io.NopCloser(m.Stdin), nil
	}
	file, err = inputfile.Open(path)
	return path, file, err
}

// createNew creates a file, and never replaces one.
func createNew(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s exists: name a new file", path)
	}
	return file, err
}

// syncFolder writes the entries of a folder to the disk. Without it, a power cut can remove a
// file whose text is already on the disk.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// writeWhole writes a file as a whole or not at all: if write fails, the old file stays. If path is
// a link, it replaces the file that the link names. It writes a device or a pipe directly. It opens
// the file before it calls write. The umask restricts mode.
func writeWhole(path string, mode os.FileMode, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(file), file.Close())
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	file, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(mode))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = file.Cleanup() }() // does nothing after a success
	if err := write(file); err != nil {
		return err
	}
	return file.CloseAtomicallyReplace()
}

// rereadable is a file that can be read twice.
type rereadable struct {
	*os.File
	name      string // what errors call it
	temporary bool
}

// openTwice opens path, or standard input for -. It copies a source that can be read only once,
// such as a pipe, to a temporary file.
func (m *Main) openTwice(ctx context.Context, path string, kind inputfile.Kind) (*rereadable, error) {
	name, from, err := m.open(path)
	if err != nil {
		return nil, err
	}
	if file, ok := from.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			return &rereadable{File: file, name: path}, nil
		}
	}
	defer func() { _ = from.Close() }()
	return m.spool(ctx, name, kind, from)
}

func (m *Main) spool(ctx context.Context, name string, kind inputfile.Kind, from io.Reader) (*rereadable, error) {
	file, err := os.CreateTemp("", "holdfast-*.copy")
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", name, err)
	}
	f := &rereadable{File: file, name: name, temporary: true}
	copied := make(chan error, 1)
	limited, end := m.reading(name, kind.Limit(name, from))
	defer end()
	go func() { // because reading a terminal or a pipe cannot be cancelled
		_, err := io.Copy(file, limited)
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		err = f.rewind()
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("copy %s: %w", name, err)
	}
	return f, nil
}

func (f *rereadable) rewind() error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s again: %w", f.name, err)
	}
	return nil
}

func (f *rereadable) close() {
	_ = f.Close() // only read
	if f.temporary {
		_ = os.Remove(f.Name()) // if this fails, the system cleans up its temporary files
	}
}
