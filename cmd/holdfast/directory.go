package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/directoryfile"
	"github.com/holdfast/holdfast/internal/inputfile"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// directories serves the routing directory to the API. The store follows it.
type directories struct {
	source directory.Directories
	follow *directory.Follow
}

// openDirectories makes the store route by the configured file, or by the directory of the
// ledger. It refuses a file with faults. If the ledger does not answer yet, the store refuses
// what needs routing until it does.
func openDirectories(
	ctx context.Context, c config.Config, ledger ledger.Ledger, store *cache.Store, logger *slog.Logger,
) (*directories, error) {
	options, err := routingOptions(c.Directory.Centroids)
	if err != nil {
		return nil, err
	}
	d := &directories{source: ledger}
	if c.Directory.File != "" {
		d.source = onlyFile{c.Directory.File}
	}
	d.follow = &directory.Follow{Directories: d.source, Use: store.Direct, Options: options, Logger: logger}
	err = d.follow.Once(ctx)
	if errors.Is(err, cache.ErrNotDurable) {
		logger.Warn("the routing directory cannot be read yet: reservations are refused until it can", "error", err)
		return d, nil
	}
	return d, err
}

// routingOptions loads the table of positions from a file, if path is not "".
func routingOptions(path string) ([]location.Option, error) {
	if path == "" {
		return nil, nil
	}
	text, err := centroidsFile.Read(path)
	if err != nil {
		return nil, fmt.Errorf("directory.centroids: %w", err)
	}
	centroids, err := location.LoadCentroids(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("directory.centroids: %s: %w", path, err)
	}
	return []location.Option{location.WithCentroids(centroids)}, nil
}

// Directory implements api.Directories.
func (d *directories) Directory(ctx context.Context) (contract.Directory, error) {
	current, _, err := d.source.Directory(ctx, 0)
	if err == nil && current.Version == 0 {
		err = cache.ErrNotFound
	}
	return contractDirectory(&current), err
}

// ApplyDirectory implements api.Directories. This process uses the new version at once.
func (d *directories) ApplyDirectory(
	ctx context.Context, next location.Directory, ifVersion int64, by cache.By,
) (contract.Directory, bool, error) {
	applied, changed, err := d.source.ApplyDirectory(ctx, next, ifVersion, by)
	if err == nil {
		_ = d.follow.Once(ctx) // if this fails, the next look within a second uses it
	}
	return contractDirectory(&applied), changed, err
}

func contractDirectory(d *directory.Directory) contract.Directory {
	return contract.Directory{
		Directory: d.Directory, Version: d.Version, Actor: d.Actor, OnBehalfOf: d.OnBehalfOf, AppliedAt: contract.Time{Time: d.AppliedAt},
	}
}

// onlyFile is a file that is the only source of the routing directory.
type onlyFile struct{ path string }

// Directory reads the file. The version is a hash of the text, so that all instances with the
// same file have the same version.
func (f onlyFile) Directory(_ context.Context, known int64) (d directory.Directory, changed bool, err error) {
	text, modified, err := f.read()
	if err != nil {
		return d, false, fmt.Errorf("directory.file: %w", err)
	}
	version := versionOf(text)
	if version == known {
		return d, false, nil
	}
	decoded, err := directoryfile.Decode(f.path, text)
	if err != nil {
		return d, false, err
	}
	return directory.Directory{
		Directory: decoded, Version: version, AppliedAt: modified.UTC().Truncate(time.Millisecond),
	}, true, nil
}

func (f onlyFile) read() (text []byte, modified time.Time, err error) {
	file, err := inputfile.Open(f.path)
	if err != nil {
		return nil, modified, err
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	if err != nil {
		return nil, modified, err
	}
	text, err = io.ReadAll(directoryFile.Limit(f.path, file))
	return text, info.ModTime(), err
}

// ApplyDirectory returns api.ErrDirectoryIsFile.
func (onlyFile) ApplyDirectory(context.Context, location.Directory, int64, cache.By) (directory.Directory, bool, error) {
	return directory.Directory{}, false, api.ErrDirectoryIsFile
}

// versionBits is the most that a JSON number holds exactly. Two texts with the same hash are
// unlikely.
const versionBits = 52

// versionOf returns a version of at least 1 for a text.
func versionOf(text []byte) int64 {
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:])>>(64-versionBits)) | 1 //nolint:gosec // 52 bits
}
