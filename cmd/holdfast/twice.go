package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// twice is a file that can be read two times over.
type twice struct {
	name      string // for faults
	text      *os.File
	temporary bool
}

// openTwice opens path, or standard input for -. What can be read only once, such as a pipe, is
// copied to a temporary file first.
func (m *Main) openTwice(ctx context.Context, path string) (*twice, error) {
	if path == "-" {
		return spool(ctx, "stdin", m.Stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder: name a CSV file", path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if info.Mode().IsRegular() {
		return &twice{name: path, text: file}, nil
	}
	defer func() { _ = file.Close() }()
	return spool(ctx, path, file)
}

func spool(ctx context.Context, name string, from io.Reader) (*twice, error) {
	file, err := os.CreateTemp("", "holdfast-import-*.csv")
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", name, err)
	}
	t := &twice{name: name, text: file, temporary: true}
	copied := make(chan error, 1)
	go func() { // a read of a terminal or pipe can't be cancelled
		_, err := io.Copy(file, from)
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		err = t.rewind()
	}
	if err != nil {
		t.close()
		return nil, fmt.Errorf("copy %s: %w", name, err)
	}
	return t, nil
}

func (t *twice) rewind() error {
	if _, err := t.text.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s again: %w", t.name, err)
	}
	return nil
}

func (t *twice) close() {
	_ = t.text.Close() // was only read
	if t.temporary {
		_ = os.Remove(t.text.Name()) // the system clears its temporary files
	}
}
