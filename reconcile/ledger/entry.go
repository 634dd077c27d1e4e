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
	"github.com/holdfast/holdfast/internal/wire"
)

// EntryID is the id of an entry of the stream: epoch and sequence.
type EntryID struct{ Epoch, Sequence uint64 }

// String returns "<epoch>-<sequence>".
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
	Text   string // id, as it stands in the stream
	ID     EntryID
	Nonce  string
	At     int64 // Unix ms
	Events []wire.Event
	Fault  error    // why it can't be read; then there are no events
	Raw    []string // text of each event; of an entry with a fault, one text with all its fields
}

// ReadEntry reads an entry of the stream. An entry that can't be read has a Fault. An entry of a
// newer format is an error: cache.ErrNewer.
func ReadEntry(m redis.XMessage) (Entry, error) {
	e := Entry{Text: m.ID}
	e.Nonce, _ = m.Values["n"].(string)
	decoded, err := wire.DecodeEntry(m.ID, m.Values)
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

// describeFields lists the fields of an entry, in order of their names.
func describeFields(values map[string]any) string {
	parts := make([]string, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, fmt.Sprintf("%s=%v", name, values[name]))
	}
	return strings.Join(parts, "\n")
}

// WrittenIn reports whether a script of an epoch wrote the entry. Any other entry was added by hand.
func (e *Entry) WrittenIn(epoch uint64) bool { return e.ID.Epoch == epoch && e.Nonce != "" }

// comparedPerEvent is how many names an audit compares in about the time that one event takes.
const comparedPerEvent = 10

// Weight returns how many events an entry counts for in the size of a batch. Names that an audit
// compares count as events too.
func (e *Entry) Weight() int {
	n := len(e.Events)
	for i := range e.Events {
		if m := e.Events[i].Checkpoint; m != nil {
			n += (len(m.Levels) + len(m.Reservations) + len(m.Limits) + len(m.Deadlines)) / comparedPerEvent
		}
	}
	return n
}

// Quarantined is an event that is never applied, or a whole entry: then Event is -1.
type Quarantined struct {
	Entry  string // id, as it stands in the stream
	Event  int
	Reason string
	Body   string
}

// Quarantine returns the whole entry as a row of the quarantine.
func (e *Entry) Quarantine(reason string) Quarantined {
	return Quarantined{Entry: e.Text, Event: -1, Reason: reason, Body: strings.Join(e.Raw, "\n")}
}

// EventRef is one event of an entry.
type EventRef struct {
	Entry *Entry
	Index int
}

// Event returns the event.
func (r EventRef) Event() *wire.Event { return &r.Entry.Events[r.Index] }

// EventRefs lists the events of entries, in order.
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
