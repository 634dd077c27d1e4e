package ledger

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

// EntryID is the id of an entry of the stream: epoch and sequence.
type EntryID struct{ Epoch, Sequence uint64 }

func (id EntryID) String() string { return fmt.Sprintf("%d-%d", id.Epoch, id.Sequence) }

// ParseEntryID reads "<epoch>-<sequence>".
func ParseEntryID(text string) (EntryID, error) {
	epoch, sequence, _ := strings.Cut(text, "-")
	e, err1 := strconv.ParseUint(epoch, 10, 64)
	s, err2 := strconv.ParseUint(sequence, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return EntryID{}, fmt.Errorf("entry id %q: %w: %w", text, cache.ErrCorrupt, err)
	}
	return EntryID{e, s}, nil
}

// Entry is an entry of the stream as it was read.
type Entry struct {
	Text   string // its id as it stands there
	ID     EntryID
	Nonce  string
	At     int64 // Unix ms
	Events []cache.Event
	Fault  error    // it can't be read: then there are no events
	Raw    []string // the text of each event; of an entry with a fault, one text with all its fields
}

// ref is one event of an entry.
type EventRef struct {
	Entry *Entry
	Index int
}

func (r EventRef) Event() *cache.Event { return &r.Entry.Events[r.Index] }

// comparedPerEvent is how many names an audit compares in about the time that an event takes.
const comparedPerEvent = 10

// Weight is about how many events an entry is worth.
func (e *Entry) Weight() int {
	n := len(e.Events)
	for i := range e.Events {
		if m := e.Events[i].Mark; m != nil {
			n += (len(m.Levels) + len(m.Reservations) + len(m.Limits) + len(m.Deadlines)) / comparedPerEvent
		}
	}
	return n
}

// refs lists the events of entries, in order.
func EventRefs(entries []Entry) []EventRef {
	n := 0
	for i := range entries {
		n += len(entries[i].Events)
	}
	list := make([]EventRef, 0, n)
	for i := range entries {
		for j := range entries[i].Events {
			list = append(list, EventRef{&entries[i], j})
		}
	}
	return list
}

// ReadEntry reads an entry. One that can't be read has a fault; one of a newer format is an error.
func ReadEntry(m redis.XMessage) (Entry, error) {
	e := Entry{Text: m.ID}
	e.Nonce, _ = m.Values["n"].(string)
	decoded, err := cache.DecodeEntry(m.ID, m.Values)
	if errors.Is(err, cache.ErrNewer) {
		return Entry{}, err
	}
	id, wrong := ParseEntryID(m.ID)
	e.ID = id
	if err := errors.Join(wrong, err); err != nil {
		e.Fault, e.Raw = err, []string{describeFields(m.Values)}
		return e, nil
	}
	e.At, e.Events, e.Raw = decoded.At, decoded.Events, decoded.Raw
	return e, nil
}

// Of says whether a script of an epoch has written the entry: another one was added by hand.
func (e *Entry) Of(epoch uint64) bool { return e.ID.Epoch == epoch && e.Nonce != "" }

// describeFields is the fields of an entry, in order of their names.
func describeFields(values map[string]any) string {
	parts := make([]string, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, fmt.Sprintf("%s=%v", name, values[name]))
	}
	return strings.Join(parts, "\n")
}
