package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/holdfast/holdfast/internal/api"
	directoryfile "github.com/holdfast/holdfast/internal/directory"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
)

// directoryFile is a file that is the only source of the routing directory.
type directoryFile struct{ path string }

// Directory reads the file. Its version is made from its text, so that all instances with the same file
// speak of the same version.
func (f directoryFile) Directory(_ context.Context, known int64) (d directory.Directory, changed bool, err error) {
	file, err := os.Open(f.path)
	if err != nil {
		return d, false, fmt.Errorf("directory.file: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	if err != nil {
		return d, false, fmt.Errorf("directory.file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, directoryfile.BytesMax+1))
	if err != nil {
		return d, false, fmt.Errorf("directory.file: %w", err)
	}
	version := versionOf(text)
	if version == known {
		return d, false, nil
	}
	decoded, err := decodeDirectory(f.path, text)
	if err != nil {
		return d, false, err
	}
	return directory.Directory{Directory: decoded, Version: version, AppliedAt: info.ModTime().UTC().Truncate(time.Millisecond)}, true, nil
}

// ApplyDirectory is refused.
func (directoryFile) ApplyDirectory(context.Context, location.Directory, int64, string) (directory.Directory, bool, error) {
	return directory.Directory{}, false, api.ErrDirectoryIsFile
}

// versionBits is what JSON numbers hold exactly, and more than ever meet by chance.
const versionBits = 52

// versionOf is a number of at least 1 for a text.
func versionOf(text []byte) int64 {
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:])>>(64-versionBits)) | 1 //nolint:gosec // 52 bits
}

// decodeDirectory reads a directory; what is wrong with it is told as *directoryError.
func decodeDirectory(name string, text []byte) (location.Directory, error) {
	d, err := directoryfile.Decode(text)
	if wrong, ok := errors.AsType[*directoryfile.Error](err); ok {
		return d, &directoryError{name, wrong}
	}
	return d, err
}

// directoryError is what is wrong with a file, a line for each fault.
type directoryError struct {
	file  string
	wrong *directoryfile.Error
}

func (e *directoryError) Error() string { return e.wrong.In(e.file) }
