package reconcile

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast/holdfast/location"
)

// Directory reads the current version.
func (m *Memory) Directory(_ context.Context, known int64) (Directory, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.directory, m.directory.Version != known, nil
}

// ApplyDirectory makes a directory the current version.
func (m *Memory) ApplyDirectory(_ context.Context, d location.Directory, ifVersion int64, actor string) (applied Directory, changed bool, err error) {
	next, err := checked(d)
	if err != nil {
		return Directory{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	same, err := replaces(&m.directory, &next, ifVersion)
	if err != nil || same {
		return m.directory, false, err
	}
	gone := removed(&m.directory.Directory, &next)
	var held, committed int64
	for key, l := range m.levels {
		if slices.Contains(gone, key.at) {
			held += l.held
			committed += l.committed
		}
	}
	if err := inUse(gone, held, committed); err != nil {
		return Directory{}, false, err
	}
	m.directory = Directory{Directory: next, Version: m.directory.Version + 1, Actor: actor, AppliedAt: time.Now().UTC()}
	return m.directory, true, nil
}

// checked is a directory that can be applied, in a copy of its own.
func checked(d location.Directory) (location.Directory, error) {
	rules, err := location.Compile(d)
	if err != nil {
		return location.Directory{}, err
	}
	return rules.Directory(), nil
}
