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
	"github.com/holdfast/holdfast/location"
)

// Directory is a version of the routing directory.
type Directory struct {
	location.Directory
	Version   int64 // 0: there is none
	Actor     string
	AppliedAt time.Time // by the ledger's clock
}

// AnyVersion has a directory applied whatever the current version is.
const AnyVersion = -1

// Directories keeps the routing directory, each version as it was applied.
type Directories interface {
	// Directory reads the current version if it is another than known, ok false where it is that one.
	// Refusals: ErrNotDurable.
	Directory(ctx context.Context, known int64) (d Directory, changed bool, err error)

	// ApplyDirectory makes a directory the current version. One that says what the current one says
	// changes nothing and is that version: it is safe to repeat, also with the ifVersion that it has replaced.
	// Refusals, the first that applies: *location.InvalidError,
	// *cache.VersionError where the current version is not ifVersion, *cache.InUseError where a location
	// that still has held or committed units would go, ErrNotDurable.
	ApplyDirectory(ctx context.Context, d location.Directory, ifVersion int64, actor string) (applied Directory, changed bool, err error)
}

// Replaces checks that a directory may take the place of current; same says that it says the same.
func Replaces(current *Directory, next *location.Directory, ifVersion int64) (same bool, err error) {
	before, err1 := json.Marshal(current.Directory)
	after, err2 := json.Marshal(next)
	same = current.Version > 0 && bytes.Equal(before, after)
	repeated := same && ifVersion == current.Version-1 // it made the current version, and its reply was lost
	if ifVersion != AnyVersion && ifVersion != current.Version && !repeated {
		return false, &cache.VersionError{Current: current.Version}
	}
	return same, errors.Join(err1, err2)
}

// Removed lists the locations that a directory no longer has.
func Removed(current, next *location.Directory) []location.ID {
	var gone []location.ID
	for _, l := range current.Locations {
		if !slices.ContainsFunc(next.Locations, func(n location.Location) bool { return n.ID == l.ID }) {
			gone = append(gone, l.ID)
		}
	}
	return gone
}

// followEvery is how often a directory is looked for: within a second it is in use everywhere.
const followEvery = 400 * time.Millisecond

// Follow has each version of the directory used. While it can't be read, or is wrong, the last one stays
// in use.
type Follow struct {
	Directories Directories
	Use         func(*location.Rules)
	Options     []location.Option
	Logger      *slog.Logger // default slog.Default()

	mu      sync.Mutex
	version int64
	looked  bool
}

// Once looks for a new version and has it used; the first time also that there is none.
func (f *Follow) Once(ctx context.Context) error {
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
	rules, err := location.Compile(d.Directory, f.Options...)
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

// Run looks for new versions until ctx ends. It logs why one can't be used once, until another can.
func (f *Follow) Run(ctx context.Context) {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for failing := false; ; {
		err := f.Once(ctx)
		wrong := err != nil && ctx.Err() == nil && !errors.Is(err, cache.ErrNotDurable)
		if wrong && !failing {
			f.logger().Error("the routing directory can't be used: the one before stays in use", "error", err)
		}
		failing = wrong
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// InUse is the refusal to remove locations that have units.
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

// Checked is a directory that can be applied, in a copy of its own.
func Checked(d location.Directory) (location.Directory, error) {
	rules, err := location.Compile(d)
	if err != nil {
		return location.Directory{}, err
	}
	return rules.Directory(), nil
}
