package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// FollowEvery is the time between two reads of the keys. A revoked key works at most this much longer,
// and the time of a read.
const FollowEvery = time.Second

// readTimeout bounds one read of the keys.
const readTimeout = time.Second

// Source is a place that has keys.
type Source interface {
	// Keys returns every key, the revoked and expired ones too.
	Keys(ctx context.Context) ([]Key, error)
}

// Follow keeps the keys of a Ring as its sources have them. While a source can't be read, the keys that
// it had last count.
type Follow struct {
	Ring    *Ring
	Sources []Source
	Logger  *slog.Logger

	last   [][]Key
	failed string // the last failure that was logged
}

// Run reads the keys every FollowEvery until ctx ends.
func (f *Follow) Run(ctx context.Context) {
	ticker := time.NewTicker(FollowEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.log(f.Once(ctx))
		}
	}
}

// log logs a failure when it begins, and its end.
func (f *Follow) log(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == f.failed:
	case err != nil:
		f.Logger.Warn("the keys cannot be read: those that were read last count", "error", text)
	default:
		f.Logger.Info("the keys are read again")
	}
	f.failed = text
}

// Once reads the keys of every source. If a source has never been read, the ring stays as it is.
func (f *Follow) Once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if f.last == nil {
		f.last = make([][]Key, len(f.Sources))
	}
	var failures []error
	for i, source := range f.Sources {
		list, err := source.Keys(ctx)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		f.last[i] = append([]Key{}, list...)
	}
	if !slices.ContainsFunc(f.last, func(list []Key) bool { return list == nil }) {
		all := slices.Concat(f.last...)
		if err := checkTogether(all); err != nil {
			return errors.Join(append(failures, err)...)
		}
		f.Ring.Replace(all)
	}
	return errors.Join(failures...)
}

// checkTogether refuses keys that cannot be in one ring.
func checkTogether(list []Key) error {
	if len(list) > KeysMax {
		return fmt.Errorf("there are %d keys, at most %d are allowed: remove revoked ones", len(list), KeysMax)
	}
	seen := map[string]bool{}
	for i := range list {
		if seen[list[i].ID] {
			return fmt.Errorf("key %s is there twice: leave it in one place", list[i].ID)
		}
		seen[list[i].ID] = true
	}
	return nil
}
