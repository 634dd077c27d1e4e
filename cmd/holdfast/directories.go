package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// directories is the routing directory as the API shows and changes it, and the store follows it.
type directories struct {
	source directory.Directories
	follow *directory.Follow
}

// openDirectories has the store route by the directory: that of the file, if one is named, or the
// ledger's. A file that can't be used keeps the program from starting; a ledger that does not answer yet
// is waited for, and until then the store refuses what needs routing.
func openDirectories(ctx context.Context, c config.Config, ledger ledger.Ledger, store *cache.Store, logger *slog.Logger) (*directories, error) {
	options, err := routingOptions(c.Directory.Centroids)
	if err != nil {
		return nil, err
	}
	d := &directories{source: ledger}
	if c.Directory.File != "" {
		d.source = directoryFile{c.Directory.File}
	}
	d.follow = &directory.Follow{Directories: d.source, Use: store.Direct, Options: options, Logger: logger}
	err = d.follow.Once(ctx)
	if errors.Is(err, cache.ErrNotDurable) {
		logger.Warn("the routing directory can't be read yet: reservations wait for it", "error", err)
		return d, nil
	}
	return d, err
}

// routingOptions loads the table of positions that a file has.
func routingOptions(path string) ([]location.Option, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("directory.centroids: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	centroids, err := location.LoadCentroids(file)
	if err != nil {
		return nil, fmt.Errorf("directory.centroids: %s: %w", path, err)
	}
	return []location.Option{location.WithCentroids(centroids)}, nil
}

// Directory is the current version.
func (d *directories) Directory(ctx context.Context) (contract.Directory, error) {
	current, _, err := d.source.Directory(ctx, 0)
	if err == nil && current.Version == 0 {
		err = cache.ErrNotFound
	}
	return shownDirectory(&current), err
}

// ApplyDirectory makes a directory the current version; this process uses it from then on.
func (d *directories) ApplyDirectory(ctx context.Context, next location.Directory, ifVersion int64, actor string) (contract.Directory, bool, error) {
	applied, changed, err := d.source.ApplyDirectory(ctx, next, ifVersion, actor)
	if err == nil {
		_ = d.follow.Once(ctx) // else it is used within a second
	}
	return shownDirectory(&applied), changed, err
}

func shownDirectory(d *directory.Directory) contract.Directory {
	return contract.Directory{
		Directory: d.Directory, Version: d.Version, Actor: d.Actor, AppliedAt: contract.Time{Time: d.AppliedAt},
	}
}
