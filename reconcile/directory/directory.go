// Package directory keeps the versions of the routing directory, and applies new ones to a running
// process.
//
// The routing directory says which locations serve which sales channels and regions. The ledger
// stores each version that was applied. Follow looks for a new version and hands its compiled rules
// to the store.
package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Directory is one version of the routing directory.
type Directory struct {
	location.Directory
	Version int64 // 0: no directory was ever applied
	cache.By
	AppliedAt time.Time // by the ledger's clock
}

// AnyVersion is the ifVersion that matches every version.
const AnyVersion = -1

// Directories stores the routing directory, each version as it was applied.
type Directories interface {
	// Directory reads the current version. If that is known, changed is false and d is empty.
	// Errors: ErrNotDurable.
	Directory(ctx context.Context, known int64) (d Directory, changed bool, err error)

	// ApplyDirectory makes d the current version. If d equals the current version, nothing changes
	// and that version is returned. So it is safe to repeat, even with the ifVersion of the first
	// call. Errors, the first that applies: *location.InvalidError; *cache.VersionError if the
	// current version is not ifVersion; *cache.InUseError if d drops a location that has held or
	// committed units; ErrNotDurable.
	ApplyDirectory(ctx context.Context, d location.Directory, ifVersion int64, by cache.By) (applied Directory, changed bool, err error)
}

// Checked returns a copy of d, or *location.InvalidError if d cannot be applied.
func Checked(d location.Directory) (location.Directory, error) {
	rules, err := location.Compile(d)
	if err != nil {
		return location.Directory{}, err
	}
	return rules.Directory(), nil
}

// Replaces returns *cache.VersionError if ifVersion does not allow next to replace current. same
// says that both have the same content.
func Replaces(current *Directory, next *location.Directory, ifVersion int64) (same bool, err error) {
	before, err1 := json.Marshal(current.Directory)
	after, err2 := json.Marshal(next)
	same = current.Version > 0 && bytes.Equal(before, after)
	repeated := same && ifVersion == current.Version-1 // it made the current version, but its reply was lost
	if ifVersion != AnyVersion && ifVersion != current.Version && !repeated {
		return false, &cache.VersionError{Current: current.Version}
	}
	return same, errors.Join(err1, err2)
}

// Removed returns the locations that current has and next has not.
func Removed(current, next *location.Directory) []location.ID {
	var gone []location.ID
	for _, l := range current.Locations {
		if !slices.ContainsFunc(next.Locations, func(n location.Location) bool { return n.ID == l.ID }) {
			gone = append(gone, l.ID)
		}
	}
	return gone
}

// InUse returns *cache.InUseError if locations have held or committed units.
func InUse(locations []location.ID, held, committed int64) error {
	if held == 0 && committed == 0 {
		return nil
	}
	names := make([]string, len(locations))
	for i, id := range locations {
		names[i] = string(id)
	}
	return &cache.InUseError{What: "location " + strings.Join(names, ", "), Held: held, Committed: committed}
}

// followEvery is the pause between two looks. A new version is in use everywhere within a second.
const followEvery = 400 * time.Millisecond

// Follow puts each new version of the directory into use. If a version cannot be read or compiled,
// the one before stays in use.
type Follow struct {
	Directories Directories           // required
	Use         func(*location.Rules) // required: takes the rules of each version, or nil if there is none
	Options     []location.Option     // for compiling the rules; default none
	Logger      *slog.Logger          // default slog.Default()

	mu      sync.Mutex
	version int64 // in use
	looked  bool
}

// Run looks for new versions until ctx ends. It logs the first of several failures in a row.
func (f *Follow) Run(ctx context.Context) {
	for failing := false; ctx.Err() == nil; {
		err := f.Once(ctx)
		wrong := err != nil && ctx.Err() == nil && !errors.Is(err, cache.ErrNotDurable)
		if wrong && !failing {
			f.logger().Error("cannot use the routing directory; the one before stays in use", "error", err)
		}
		failing = wrong
		select {
		case <-time.After(followEvery):
		case <-ctx.Done():
		}
	}
}

// Once looks for a new version and puts it into use. If the first look finds none, it calls Use
// with nil.
func (f *Follow) Once(ctx context.Context) (err error) {
	defer wire.Recovered(&err)
	f.mu.Lock()
	defer f.mu.Unlock()
	d, changed, err := f.Directories.Directory(ctx, f.version)
	switch {
	case err != nil:
		return err
	case !changed && !f.looked:
		f.Use(nil)
	case changed:
		if err := f.use(d); err != nil {
			return err
		}
	}
	f.looked = true
	return nil
}

func (f *Follow) use(d Directory) error {
	rules, err := location.Compile(d.Directory, append([]location.Option{location.Stored()}, f.Options...)...)
	if err != nil {
		return fmt.Errorf("directory version %d: %w", d.Version, err)
	}
	f.Use(rules)
	f.version = d.Version
	f.logger().Info("routing by the directory", "version", d.Version, "locations", len(d.Locations), "channels", len(d.Channels),
		"applied_by", d.Actor)
	return nil
}

func (f *Follow) logger() *slog.Logger {
	if f.Logger == nil {
		return slog.Default()
	}
	return f.Logger
}
