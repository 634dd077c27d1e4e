package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// rereadable is a file that can be read twice.
type rereadable struct {
	*os.File
	name      string // what errors call it
	temporary bool
}

// openTwice opens path, or standard input for -. It copies a source that can be read only once,
// such as a pipe, to a temporary file.
func (m *Main) openTwice(ctx context.Context, path string) (*rereadable, error) {
	name, from, err := m.open(path)
	if err != nil {
		return nil, err
	}
	if file, ok := from.(*os.File); ok {
		switch info, err := file.Stat(); {
		case err != nil:
			return nil, errors.Join(err, file.Close())
		case info.IsDir():
			return nil, errors.Join(fmt.Errorf("%s is a folder: name a CSV file", path), file.Close())
		case info.Mode().IsRegular():
			return &rereadable{File: file, name: path}, nil
		}
	}
	defer func() { _ = from.Close() }()
	return spool(ctx, name, from)
}

func spool(ctx context.Context, name string, from io.Reader) (*rereadable, error) {
	file, err := os.CreateTemp("", "holdfast-import-*.csv")
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", name, err)
	}
	f := &rereadable{File: file, name: name, temporary: true}
	copied := make(chan error, 1)
	go func() { // because reading a terminal or a pipe cannot be cancelled
		_, err := io.Copy(file, from)
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
