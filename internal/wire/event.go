package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// eventVersionMax is the newest version of an entry that this package reads. A script writes version
// 2 if the entry has an event that an older Holdfast could not read, else version 1. An older
// reconciler stops at such an entry, and does not put a sale into quarantine.
const eventVersionMax = 2

// Entry is one entry of the event stream: what one script call changed. Its fields are v (the
// version of this format), n (a random nonce of the caller) and e (the events). The entry of an
// audit or a repair also has d (texts of any bytes).
type Entry struct {
	ID     string // <epoch>-<sequence>
	Nonce  string
	At     int64 // Unix ms by Redis's clock
	Events []Event
	Raw    []string // the text of each event
}

// Event is one transition of a reservation, one operation on levels, or one step of an audit.
type Event struct {
	Verb          Verb
	ID            string // of the reservation, operation or audit
	StateBefore   State  // "" for reserve
	VersionBefore int64  // 0 for reserve
	Extra         string // reserve: JSON with the details that Redis does not keep; else ""
	Record        Record // the reservation after the transition; zero for an operation
	CreationNonce string // revert: of the operation that it undoes
	Fingerprint   string // operation, or a step that has one: of the caller's request
	Reason        string // operation
	Actor         string // operation, repair
	OnBehalfOf    string // operation: the person for whom the actor made it
	RequestID     string // operation: of the call that made it
	Operation     string // id of a step's operation: of every return, and of other steps if the caller gave one
	Levels        []LevelEvent
	Carried       []LevelDelta // unfulfill: on hand that came back to another location than it left from
	Checkpoint    *Checkpoint  // audit
	Repaired      *Repaired    // repair
}

// LevelEvent is what an operation did to one level.
type LevelEvent struct {
	SKU                                       location.SKU
	Location                                  location.ID
	OnHandBefore, OnHandAfter                 int64
	SafetyStockBefore, SafetyStockAfter       int64
	BackorderLimitBefore, BackorderLimitAfter int64
	AvailableAfter                            int64
	Counted                                   bool  // adjust: a count corrected on hand; no units came or left
	CountedAt                                 int64 // when it was made, Unix ms, if not when it was applied; else 0
	Kept                                      bool  // adjust: there is no level, and none is made
}

// Step returns the step that an event made. nonce is the nonce of its entry.
func (e *Event) Step(nonce string) Step {
	switch e.Verb {
	case VerbAdjust, VerbRemove, VerbTransfer:
		return Step{Operation: true, ID: e.ID, CreationNonce: nonce, Version: 1}
	case VerbRevert:
		return Step{Operation: true, ID: e.ID, CreationNonce: e.CreationNonce, Version: 2}
	case VerbAudit, VerbRepair:
		return Step{}
	default:
		return Step{ID: e.ID, CreationNonce: e.Record.CreationNonce, Version: e.Record.Version}
	}
}

// Deltas returns what an operation added to its levels. For an unfulfill it is what the change of
// the record leaves out.
func (e *Event) Deltas() []LevelDelta {
	if e.Carried != nil {
		return e.Carried
	}
	deltas := make([]LevelDelta, len(e.Levels))
	for i, l := range e.Levels {
		deltas[i] = LevelDelta{
			SKU: l.SKU, Location: l.Location, OnHand: l.OnHandAfter - l.OnHandBefore,
			SafetyStock:    l.SafetyStockAfter - l.SafetyStockBefore,
			BackorderLimit: l.BackorderLimitAfter - l.BackorderLimitBefore,
			Removed:        e.Verb == VerbRemove,
		}
	}
	return deltas
}

// DecodeEntry reads an entry of the stream. Its error wraps ErrNewer if a newer version of Holdfast
// wrote the entry, else ErrCorrupt.
func DecodeEntry(id string, values map[string]any) (Entry, error) {
	return decodeEntry(id, values, eventVersionMax)
}

// decodeEntry reads an entry whose version is at most newest.
func decodeEntry(id string, values map[string]any, newest int) (Entry, error) {
	version, _ := values["v"].(string)
	nonce, _ := values["n"].(string)
	body, ok := values["e"].(string)
	n, err := strconv.Atoi(version)
	if err == nil && n > newest {
		return Entry{}, fmt.Errorf("entry %s of version %q: %w", id, version, ErrNewer)
	}
	if err != nil || n < 1 || strconv.Itoa(n) != version || !ok || nonce == "" {
		return Entry{}, fmt.Errorf("entry %s of version %q: %w", id, version, ErrCorrupt)
	}
	at, rest, more := strings.Cut(body, GroupSeparator)
	f := FieldReader{Rest: at}
	entry := Entry{ID: id, Nonce: nonce, At: f.Number()}
	for more && !f.Failed {
		var text string
		text, rest, more = strings.Cut(rest, GroupSeparator)
		event, err := decodeEvent(text)
		if err == nil {
			err = event.decodeData(values["d"])
		}
		if err != nil {
			return Entry{}, fmt.Errorf("entry %s: %w", id, err)
		}
		entry.Events, entry.Raw = append(entry.Events, event), append(entry.Raw, text)
	}
	if f.Failed {
		return Entry{}, fmt.Errorf("entry %s: %w", id, ErrCorrupt)
	}
	return entry, nil
}

func decodeEvent(text string) (Event, error) {
	head, body, _ := strings.Cut(text, RecordSeparator)
	f := FieldReader{Rest: head}
	e := Event{Verb: Verb(f.Text()), ID: f.Text()}
	switch e.Verb {
	case VerbRevert:
		e.CreationNonce = f.Text()
	case VerbAudit:
		e.Checkpoint = &Checkpoint{Audit: e.ID, How: How(f.Text()), sizes: [4]int64{f.Number(), f.Number(), f.Number(), f.Number()}}
	case VerbRepair:
		e.Repaired, e.Actor = &Repaired{Audit: e.ID}, f.Text()
	case VerbAdjust, VerbRemove, VerbTransfer:
		e.Fingerprint, e.Reason, e.Actor = f.Text(), f.Text(), f.Text()
		if !f.End {
			e.OnBehalfOf, e.RequestID = f.Text(), f.Text()
		}
		for part := range strings.SplitSeq(body, RecordSeparator) {
			l := FieldReader{Rest: part}
			level := LevelEvent{
				SKU: location.SKU(l.Text()), Location: location.ID(l.Text()),
				OnHandBefore: l.Number(), OnHandAfter: l.Number(),
				SafetyStockBefore: l.Number(), SafetyStockAfter: l.Number(),
				BackorderLimitBefore: l.Number(), BackorderLimitAfter: l.Number(),
				AvailableAfter: l.Number(),
			}
			if e.Verb == VerbAdjust {
				mark := l.Text()
				level.Counted, level.Kept = mark == "1", mark == "kept"
				if level.Counted && !l.End {
					level.CountedAt = l.Number()
				}
			}
			e.Levels = append(e.Levels, level)
			f.Failed = f.Failed || l.Failed
		}
	default:
		e.StateBefore, e.VersionBefore, e.Extra = State(f.Text()), f.Number(), f.Text()
		var err error
		if e.Record, err = DecodeRecord(body); err != nil {
			return Event{}, fmt.Errorf("%q of %q: %w", e.Verb, e.ID, err)
		}
		e.readOperation()
		switch e.Verb {
		case VerbReturn:
			f.Failed = !e.readReturn() || f.Failed
		case VerbUnfulfill:
			f.Failed = !e.readUnfulfill() || f.Failed
		}
	}
	if f.Failed {
		return Event{}, fmt.Errorf("%q of %q: %w", e.Verb, e.ID, ErrCorrupt)
	}
	return e, nil
}

// By returns the actor of an operation as its event has it. The other two follow it as fields of their own,
// which older programs do not read.
func By(actor, onBehalfOf, requestID string) string {
	if onBehalfOf == "" && requestID == "" {
		return actor
	}
	return actor + UnitSeparator + onBehalfOf + UnitSeparator + requestID
}

// readOperation takes the operation of a step and its fingerprint off Extra, if the step has one. A
// file separator follows each, unless Extra ends there. JSON has no such character.
func (e *Event) readOperation() {
	operation, rest, found := strings.Cut(e.Extra, fileSeparator)
	if found {
		e.Operation = operation
		e.Fingerprint, e.Extra, _ = strings.Cut(rest, fileSeparator)
	}
}

// readReturn reads what the event of a return has in place of Extra: the location that the units
// went to, and for each SKU on hand before and after, and available after. It reports whether the
// text is valid, and the return has an operation.
func (e *Event) readReturn() bool {
	parts := strings.Split(e.Extra, fileSeparator)
	if len(parts) < 5 || len(parts)%4 != 1 || e.Operation == "" {
		return false
	}
	e.Extra = ""
	for at := 1; at < len(parts); at += 4 {
		l := LevelEvent{SKU: location.SKU(parts[at]), Location: location.ID(parts[0])}
		for i, n := range []*int64{&l.OnHandBefore, &l.OnHandAfter, &l.AvailableAfter} {
			var err error
			if *n, err = strconv.ParseInt(parts[at+1+i], 10, 64); err != nil {
				return false
			}
		}
		e.Levels = append(e.Levels, l)
	}
	return true
}

// readUnfulfill reads what the event of an unfulfill has in place of Extra: the location that the
// units came back to, "" for those that they left from. Then, for units that came back to another
// location, SKU, the location that they left from, and units. It reports whether the text is valid,
// and the unfulfill has an operation.
func (e *Event) readUnfulfill() bool {
	parts := strings.Split(e.Extra, fileSeparator)
	if len(parts)%3 != 1 || e.Operation == "" {
		return false
	}
	e.Extra = ""
	for at := 1; at < len(parts); at += 3 {
		units, err := strconv.ParseInt(parts[at+2], 10, 64)
		if err != nil || units < 1 {
			return false
		}
		sku := location.SKU(parts[at])
		e.Carried = append(e.Carried,
			LevelDelta{SKU: sku, Location: location.ID(parts[at+1]), OnHand: -units},
			LevelDelta{SKU: sku, Location: location.ID(parts[0]), OnHand: units})
	}
	return true
}

// decodeData reads the texts in the field d of an audit or a repair. Other events have none.
func (e *Event) decodeData(data any) error {
	text, _ := data.(string)
	r := textReader{rest: text}
	switch {
	case e.Checkpoint != nil:
		e.Checkpoint.decode(&r)
	case e.Repaired != nil:
		e.Repaired.decode(&r)
	default:
		return nil
	}
	if r.failed || r.rest != "" {
		return fmt.Errorf("data of %s: %w", e.Verb, ErrCorrupt)
	}
	return nil
}
