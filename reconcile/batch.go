package reconcile

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// A batch ends with the entry that brings it to eventsPerBatch or to bytesPerBatch. The bytes are
// those of the stream. The memory that a batch takes while it is applied follows them: it is some
// twenty times as much.
const (
	eventsPerBatch = 1000
	bytesPerBatch  = 1 << 20
)

// A portion is what one call reads: some portionBytes of the stream, at most portionMax entries.
// Redis cannot bound a read by bytes, so the number of entries follows the size of those before.
const (
	portionBytes = 256 << 10
	portionMax   = 32
)

// batch is a run of entries that are applied in one transaction.
type batch struct {
	entries []ledger.Entry
	events  int
	bytes   int
}

// full reports whether the batch has reached a bound. Then more entries may wait.
func (b *batch) full() bool { return b.events >= eventsPerBatch || b.bytes >= bytesPerBatch }

// add decodes the entries of a portion, until the batch is full.
func (b *batch) add(portion []redis.XMessage) error {
	for _, m := range portion {
		if b.full() {
			break
		}
		e, err := ledger.ReadEntry(m)
		if err != nil {
			return err
		}
		b.entries = append(b.entries, e)
		b.events += max(1, e.Weight())
		b.bytes += sizeOf(m)
	}
	return nil
}

func sizeOf(m redis.XMessage) (bytes int) {
	for _, value := range m.Values {
		text, _ := value.(string)
		bytes += len(text)
	}
	return bytes
}

// read returns the batch after the last applied entry. It is empty if there is nothing to apply.
func (a *applier) read(ctx context.Context) (*batch, error) {
	if ahead := a.ahead; ahead != nil {
		a.ahead = nil
		return ahead, nil
	}
	return a.readFrom(ctx, a.at)
}

// readFrom reads the batch after a position. It returns errRebuild if the entry at that position is
// missing or has another nonce. One round trip a portion.
func (a *applier) readFrom(ctx context.Context, at wire.Position) (*batch, error) {
	list, more, err := a.readPortion(ctx, at.EntryID())
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].ID != at.EntryID() || list[0].Values["n"] != at.Nonce {
		return nil, fmt.Errorf("%w: %s", errRebuild, lastAppliedMissing)
	}
	b := &batch{}
	err = b.add(list[1:])
	for err == nil && more && !b.full() {
		if list, more, err = a.readPortion(ctx, after(list)); err == nil {
			err = b.add(list)
		}
	}
	return b, err
}

// after returns where the portion after another one begins.
func after(portion []redis.XMessage) string { return "(" + portion[len(portion)-1].ID }

// readPortion reads the entries from an id on. more is false if these are the last ones. One round
// trip.
func (a *applier) readPortion(ctx context.Context, from string) (list []redis.XMessage, more bool, err error) {
	count := max(2, a.portion) // the first one of a batch is applied already
	list, err = a.shard.Entries(ctx, from, count)
	bytes := 1
	for _, m := range list {
		bytes += sizeOf(m)
	}
	a.portion = min(portionMax, 2*count, int64(portionBytes*len(list)/bytes))
	return list, int64(len(list)) == count, err
}

// readAhead reads the batch after a position while the one before is applied. The caller must call
// wait before it uses a.ahead. An error is dropped, since the next read meets it again.
func (a *applier) readAhead(ctx context.Context, at wire.Position) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error // dropped like any other: the next read meets it again
		defer wire.Recovered(&err)
		if ahead, err := a.readFrom(ctx, at); err == nil && len(ahead.entries) > 0 {
			a.ahead = ahead
		}
	}()
	return func() { <-done }
}
