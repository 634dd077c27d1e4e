package cache

import (
	"fmt"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// eventVersion is the field v of every entry of the stream; another one is not read.
const eventVersion = "1"

// Entry is one entry of the event stream: what one script call changed. Its fields are v (the
// version of this format), n (a random nonce of the caller) and e (the events).
type Entry struct {
	ID     string // <epoch>-<sequence>
	Nonce  string
	At     int64 // Unix ms, by Redis's clock
	Events []Event
}

// Event is one transition of a reservation, or one operation on levels.
type Event struct {
	Verb          Verb
	ID            string // of the reservation or operation
	StateBefore   State  // "" for reserve
	VersionBefore int64  // 0 for reserve
	Extra         string // reserve: JSON of what Redis does not keep; else ""
	Record        Record // the reservation as it is after; zero for an operation
	Fingerprint   string // operation: of what the caller sent
	Reason        string // operation
	Actor         string // operation
	Levels        []LevelEvent
}

// LevelEvent is what an operation did to one level.
type LevelEvent struct {
	SKU                                       location.SKU
	Location                                  location.ID
	OnHandBefore, OnHandAfter                 int64
	SafetyStockBefore, SafetyStockAfter       int64
	BackorderLimitBefore, BackorderLimitAfter int64
	AvailableAfter                            int64
}

// DecodeEntry reads an entry of the stream; the error wraps ErrCorrupt.
func DecodeEntry(id string, values map[string]any) (Entry, error) {
	version, _ := values["v"].(string)
	nonce, _ := values["n"].(string)
	body, ok := values["e"].(string)
	if version != eventVersion || !ok {
		return Entry{}, fmt.Errorf("entry %s of version %q: %w", id, version, ErrCorrupt)
	}
	at, rest, more := strings.Cut(body, groupSeparator)
	f := fieldReader{rest: at}
	entry := Entry{ID: id, Nonce: nonce, At: f.number()}
	for more && !f.failed {
		var text string
		text, rest, more = strings.Cut(rest, groupSeparator)
		event, err := decodeEvent(text)
		if err != nil {
			return Entry{}, fmt.Errorf("entry %s: %w", id, err)
		}
		entry.Events = append(entry.Events, event)
	}
	if f.failed {
		return Entry{}, fmt.Errorf("entry %s: %w", id, ErrCorrupt)
	}
	return entry, nil
}

func decodeEvent(text string) (Event, error) {
	head, body, _ := strings.Cut(text, recordSeparator)
	f := fieldReader{rest: head}
	e := Event{Verb: Verb(f.text()), ID: f.text()}
	if e.Verb == VerbAdjust {
		e.Fingerprint, e.Reason, e.Actor = f.text(), f.text(), f.text()
		for part := range strings.SplitSeq(body, recordSeparator) {
			l := fieldReader{rest: part}
			e.Levels = append(e.Levels, LevelEvent{
				SKU: location.SKU(l.text()), Location: location.ID(l.text()),
				OnHandBefore: l.number(), OnHandAfter: l.number(),
				SafetyStockBefore: l.number(), SafetyStockAfter: l.number(),
				BackorderLimitBefore: l.number(), BackorderLimitAfter: l.number(),
				AvailableAfter: l.number(),
			})
			f.failed = f.failed || l.failed
		}
	} else {
		e.StateBefore, e.VersionBefore, e.Extra = State(f.text()), f.number(), f.text()
		var err error
		if e.Record, err = DecodeRecord(body); err != nil {
			return Event{}, fmt.Errorf("%s of %q: %w", e.Verb, e.ID, err)
		}
	}
	if f.failed {
		return Event{}, fmt.Errorf("%s of %q: %w", e.Verb, e.ID, ErrCorrupt)
	}
	return e, nil
}
