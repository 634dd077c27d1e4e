package memory

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/directory"
)

// Directory reads the current version of the directory; changed is false if that is known.
func (m *Ledger) Directory(_ context.Context, known int64) (directory.Directory, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.directory, m.directory.Version != known, nil
}

// ApplyDirectory makes a directory the current version.
func (m *Ledger) ApplyDirectory(_ context.Context, d location.Directory, ifVersion int64, actor string) (applied directory.Directory, changed bool, err error) {
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
	m.directory = directory.Directory{Directory: next, Version: m.directory.Version + 1, Actor: actor, AppliedAt: time.Now().UTC()}
	return m.directory, true, nil
}
