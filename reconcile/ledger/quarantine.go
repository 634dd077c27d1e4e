package ledger

import "strings"

// Quarantined is an event, or with event -1 an entry, that is never applied.
type Quarantined struct {
	Entry  string // as it stands in the stream
	Event  int
	Reason string
	Body   string
}

// Quarantine is an entry as a whole, kept for a person.
func (e *Entry) Quarantine(reason string) Quarantined {
	return Quarantined{Entry: e.Text, Event: -1, Reason: reason, Body: strings.Join(e.Raw, "\n")}
}
