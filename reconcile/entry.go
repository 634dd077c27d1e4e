package reconcile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
)

// entryID is the id of an entry of the stream: epoch and sequence.
type entryID struct{ epoch, sequence uint64 }

func (id entryID) String() string { return fmt.Sprintf("%d-%d", id.epoch, id.sequence) }

// parseEntryID reads "<epoch>-<sequence>".
func parseEntryID(text string) (entryID, error) {
	epoch, sequence, _ := strings.Cut(text, "-")
	e, err1 := strconv.ParseUint(epoch, 10, 64)
	s, err2 := strconv.ParseUint(sequence, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return entryID{}, fmt.Errorf("entry id %q: %w: %w", text, cache.ErrCorrupt, err)
	}
	return entryID{e, s}, nil
}

// entry is an entry of the stream as it was read.
type entry struct {
	text   string // its id as it stands there
	id     entryID
	nonce  string
	at     int64 // Unix ms
	events []cache.Event
	fault  error    // it can't be read: then there are no events
	raw    []string // the text of each event; of an entry with a fault, one text with all its fields
}

// ref is one event of an entry.
type ref struct {
	entry *entry
	index int
}

func (r ref) event() *cache.Event { return &r.entry.events[r.index] }

// comparedPerEvent is how many names an audit compares in about the time that an event takes.
const comparedPerEvent = 10

// weight is about how many events an entry is worth.
func (e *entry) weight() int {
	n := len(e.events)
	for i := range e.events {
		if m := e.events[i].Mark; m != nil {
			n += (len(m.Levels) + len(m.Reservations) + len(m.Limits) + len(m.Deadlines)) / comparedPerEvent
		}
	}
	return n
}

// refs lists the events of entries, in order.
func refs(entries []entry) []ref {
	n := 0
	for i := range entries {
		n += len(entries[i].events)
	}
	list := make([]ref, 0, n)
	for i := range entries {
		for j := range entries[i].events {
			list = append(list, ref{&entries[i], j})
		}
	}
	return list
}

// readEntry reads an entry. One that can't be read has a fault; one of a newer format is an error.
func readEntry(m redis.XMessage) (entry, error) {
	e := entry{text: m.ID}
	e.nonce, _ = m.Values["n"].(string)
	decoded, err := cache.DecodeEntry(m.ID, m.Values)
	if errors.Is(err, cache.ErrNewer) {
		return entry{}, err
	}
	id, wrong := parseEntryID(m.ID)
	e.id = id
	if err := errors.Join(wrong, err); err != nil {
		e.fault, e.raw = err, []string{describeFields(m.Values)}
		return e, nil
	}
	e.at, e.events, e.raw = decoded.At, decoded.Events, decoded.Raw
	return e, nil
}

// of says whether a script of an epoch has written the entry: another one was added by hand.
func (e *entry) of(epoch uint64) bool { return e.id.epoch == epoch && e.nonce != "" }

// describeFields is the fields of an entry, in order of their names.
func describeFields(values map[string]any) string {
	parts := make([]string, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, fmt.Sprintf("%s=%v", name, values[name]))
	}
	return strings.Join(parts, "\n")
}
