package cache

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// eventVersion is the field v of every entry of the stream; another one is not read.
const (
	eventVersion    = "1"
	eventVersionMax = 1
)

// Entry is one entry of the event stream: what one script call changed. Its fields are v (the
// version of this format), n (a random nonce of the caller), e (the events), and of an audit or a repair
// d (texts of any bytes).
type Entry struct {
	ID     string // <epoch>-<sequence>
	Nonce  string
	At     int64 // Unix ms, by Redis's clock
	Events []Event
	Raw    []string // the text of each event
}

// Event is one transition of a reservation, or one operation on levels.
type Event struct {
	Verb          verbT
	ID            string // of the reservation or operation
	StateBefore   state  // "" for reserve
	VersionBefore int64  // 0 for reserve
	Extra         string // reserve: JSON of what Redis does not keep; else ""
	Record        Record // the reservation as it is after; zero for an operation
	Birth         string // revert: of the operation that is undone
	Fingerprint   string // operation: of what the caller sent
	Reason        string // operation
	Actor         string // operation
	Operation     string // return: id of its own
	Levels        []LevelEvent
	Mark          *Mark     // audit
	Repaired      *Repaired // repair
}

// LevelEvent is what an operation did to one level.
type LevelEvent struct {
	SKU                                       location.SKU
	Location                                  location.ID
	OnHandBefore, OnHandAfter                 int64
	SafetyStockBefore, SafetyStockAfter       int64
	BackorderLimitBefore, BackorderLimitAfter int64
	AvailableAfter                            int64
	Counted                                   bool // adjust: it was counted: nothing has come or left
}

// Step is the step that an event made; nonce is its entry's.
func (e *Event) Step(nonce string) Step {
	switch e.Verb {
	case verbAdjust, verbRemove, verbTransfer:
		return Step{Operation: true, ID: e.ID, Birth: nonce, Version: 1}
	case VerbRevert:
		return Step{Operation: true, ID: e.ID, Birth: e.Birth, Version: 2}
	case VerbAudit, VerbRepair:
		return Step{}
	default:
		return Step{ID: e.ID, Birth: e.Record.Birth, Version: e.Record.Version}
	}
}

// Deltas is what an operation added to its levels.
func (e *Event) Deltas() []LevelDelta {
	deltas := make([]LevelDelta, len(e.Levels))
	for i, l := range e.Levels {
		deltas[i] = LevelDelta{
			SKU: l.SKU, Location: l.Location, OnHand: l.OnHandAfter - l.OnHandBefore,
			SafetyStock:    l.SafetyStockAfter - l.SafetyStockBefore,
			BackorderLimit: l.BackorderLimitAfter - l.BackorderLimitBefore,
			Removed:        e.Verb == verbRemove,
		}
	}
	return deltas
}

// DecodeEntry reads an entry of the stream; the error wraps errCorrupt, or errNewer where a newer
// Holdfast has written it.
func DecodeEntry(id string, values map[string]any) (Entry, error) {
	version, _ := values["v"].(string)
	nonce, _ := values["n"].(string)
	body, ok := values["e"].(string)
	if n, err := strconv.Atoi(version); err == nil && n > eventVersionMax {
		return Entry{}, fmt.Errorf("entry %s of version %q: %w", id, version, errNewer)
	}
	if version != eventVersion || !ok || nonce == "" {
		return Entry{}, fmt.Errorf("entry %s of version %q: %w", id, version, errCorrupt)
	}
	at, rest, more := strings.Cut(body, groupSeparator)
	f := fieldReader{rest: at}
	entry := Entry{ID: id, Nonce: nonce, At: f.number()}
	for more && !f.failed {
		var text string
		text, rest, more = strings.Cut(rest, groupSeparator)
		event, err := decodeEvent(text)
		if err == nil {
			err = event.decodeData(values["d"])
		}
		if err != nil {
			return Entry{}, fmt.Errorf("entry %s: %w", id, err)
		}
		entry.Events, entry.Raw = append(entry.Events, event), append(entry.Raw, text)
	}
	if f.failed {
		return Entry{}, fmt.Errorf("entry %s: %w", id, errCorrupt)
	}
	return entry, nil
}

func decodeEvent(text string) (Event, error) {
	head, body, _ := strings.Cut(text, recordSeparator)
	f := fieldReader{rest: head}
	e := Event{Verb: verbT(f.text()), ID: f.text()}
	switch e.Verb {
	case VerbRevert:
		e.Birth = f.text()
	case VerbAudit:
		e.Mark = &Mark{Audit: e.ID, How: How(f.text()), sizes: [4]int64{f.number(), f.number(), f.number(), f.number()}}
	case VerbRepair:
		e.Repaired, e.Actor = &Repaired{Audit: e.ID}, f.text()
	case verbAdjust, verbRemove, verbTransfer:
		e.Fingerprint, e.Reason, e.Actor = f.text(), f.text(), f.text()
		for part := range strings.SplitSeq(body, recordSeparator) {
			l := fieldReader{rest: part}
			e.Levels = append(e.Levels, LevelEvent{
				SKU: location.SKU(l.text()), Location: location.ID(l.text()),
				OnHandBefore: l.number(), OnHandAfter: l.number(),
				SafetyStockBefore: l.number(), SafetyStockAfter: l.number(),
				BackorderLimitBefore: l.number(), BackorderLimitAfter: l.number(),
				AvailableAfter: l.number(), Counted: e.Verb == verbAdjust && l.text() == "1",
			})
			f.failed = f.failed || l.failed
		}
	default:
		e.StateBefore, e.VersionBefore, e.Extra = state(f.text()), f.number(), f.text()
		var err error
		if e.Record, err = DecodeRecord(body); err != nil {
			return Event{}, fmt.Errorf("%q of %q: %w", e.Verb, e.ID, err)
		}
		if e.Verb == verbReturn {
			f.failed = !e.readReturn() || f.failed
		}
	}
	if f.failed {
		return Event{}, fmt.Errorf("%q of %q: %w", e.Verb, e.ID, errCorrupt)
	}
	return e, nil
}
