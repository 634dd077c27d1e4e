package memory

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Directory reads the current version of the directory; changed is false if that is known.
func (m *Ledger) Directory(_ context.Context, known int64) (directory.Directory, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.directory, m.directory.Version != known, nil
}

// ApplyDirectory makes a directory the current version.
func (m *Ledger) ApplyDirectory(_ context.Context, d location.Directory, ifVersion int64, by cache.By) (applied directory.Directory, changed bool, err error) {
	next, err := directory.Checked(d)
	if err != nil {
		return directory.Directory{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	same, err := directory.Replaces(&m.directory, &next, ifVersion)
	if err != nil || same {
		return m.directory, false, err
	}
	gone := directory.Removed(&m.directory.Directory, &next)
	var held, committed int64
	for key, l := range m.levels {
		if slices.Contains(gone, key.Location) {
			held += l.Held
			committed += l.Committed
		}
	}
	if err := directory.InUse(gone, held, committed); err != nil {
		return directory.Directory{}, false, err
	}
	m.directory = directory.Directory{Directory: next, Version: m.directory.Version + 1, By: by, AppliedAt: time.Now().UTC()}
	m.changes = append(m.changes, ledger.Change{
		By: by, At: m.directory.AppliedAt.Truncate(time.Millisecond), Kind: ledger.ChangeDirectory,
		ID: strconv.FormatInt(m.directory.Version, 10), Verb: "apply",
	})
	return m.directory, true, nil
}
