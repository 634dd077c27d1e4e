package main

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// stdio is the file name that means standard input or output.
const stdio = "-"

// open opens a file, or standard input if path is -. name is what errors call it.
func (m *Main) open(path string) (name string, file io.ReadCloser, err error) {
	if path == stdio {
		return "stdin", io.NopCloser(m.Stdin), nil
	}
	file, err = os.Open(path)
	return path, file, err
}

// readFile reads at most bytesMax bytes of a file, and one more if it is longer.
func (m *Main) readFile(path string, bytesMax int64) (name string, text []byte, err error) {
	name, file, err := m.open(path)
	if err != nil {
		return name, nil, err
	}
	defer func() { _ = file.Close() }() // only read
	text, err = io.ReadAll(io.LimitReader(file, bytesMax+1))
	return name, text, err
}

// wholeFile is a file that replaces another as a whole or not at all.
type wholeFile struct {
	*os.File
	path string // the file to replace; the same as Name if it is a device or a pipe
}

// createWhole starts a file that commit puts at path. If path is a link, it replaces the file
// that the link names. It writes a device or a pipe directly. The umask restricts mode.
func createWhole(path string, mode os.FileMode) (*wholeFile, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	name := path + "." + rand.Text() + ".partial" // two writers do not share it
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		name = path
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return nil, err
	}
	return &wholeFile{file, path}, nil
}

func (f *wholeFile) direct() bool { return f.Name() == f.path }

// commit puts the file in its place. Its text is on the disk before.
func (f *wholeFile) commit() error {
	if f.direct() {
		return f.Close()
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), f.path)
}

// discard removes a file that was not committed. After commit it does nothing.
func (f *wholeFile) discard() {
	_ = f.Close()
	if !f.direct() {
		_ = os.Remove(f.Name())
	}
}
