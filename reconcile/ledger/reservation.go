package ledger

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Reservation is a reservation in a working set.
type Reservation struct {
	Record     wire.Record
	Extra      string // JSON of what only the ledger keeps, or ""
	At         int64  // when this batch last changed it, Unix ms
	Created    bool   // this batch created it
	Changed    bool   // this batch changed it
	Rearranged bool   // this batch changed its lines
	Described  bool   // this batch changed its customer, its order, its limits or Extra
	Relined    bool   // this batch changed which lines it has, or what counts them

	// As the row was read or last written.
	VersionBefore int64
	StateBefore   cache.State
}

// describe takes over what the extra of a describe names.
func (r *Reservation) describe(extra string) {
	r.Described = true
	fields := map[string]json.RawMessage{}
	for _, text := range []string{r.Extra, extra} { // our own scripts wrote both: what can't be read is left out
		_ = json.Unmarshal([]byte(cmp.Or(text, "{}")), &fields)
	}
	r.Extra = EncodeJSON(fields)
}

// Metadata returns the metadata in Extra. If it can't be read there is none: our own scripts wrote
// it.
func (r *Reservation) Metadata() map[string]string {
	var extra struct {
		Metadata map[string]string `json:"metadata"`
	}
	_ = json.Unmarshal([]byte(cmp.Or(r.Extra, "{}")), &extra)
	if extra.Metadata == nil {
		return map[string]string{}
	}
	return extra.Metadata
}

// Row returns the reservation with what only the ledger keeps of it, from Extra.
func (r *Reservation) Row(id string) wire.ReservationRow {
	row := wire.ReservationRow{ID: id, Record: r.Record, Metadata: r.Metadata()}
	var extra struct {
		wire.Destination
		Lines map[string]wire.Destination `json:"lines"`
	}
	_ = json.Unmarshal([]byte(cmp.Or(r.Extra, "{}")), &extra)
	row.Destination, row.Lines = extra.Destination, extra.Lines
	return row
}

// Details returns how the reservation is routed.
func (r *Reservation) Details() wire.Details {
	row := r.Row("")
	var extra struct {
		Split location.Split `json:"split"`
	}
	_ = json.Unmarshal([]byte(cmp.Or(r.Extra, "{}")), &extra)
	return wire.Details{CreationNonce: r.Record.CreationNonce, Destination: row.Destination, Split: extra.Split, Lines: row.Lines}
}

// AsWritten returns the reservation as its row reads after it is written.
func (r *Reservation) AsWritten() Reservation {
	return Reservation{Record: r.Record, At: r.At, VersionBefore: r.Record.Version, StateBefore: r.Record.State}
}

// Resolved reports whether a reservation in this state is over.
func Resolved(state cache.State) bool {
	return state == cache.StateReleased || state == cache.StateExpired || state == cache.StateFulfilled
}

// Archived reports whether the ledger has archived the lines of a reservation. Then it keeps only
// the id and the last state.
func Archived(known *wire.Record) bool { return len(known.Lines) == 0 }

// RecordRow is a reservation as an audit reads it, or an id that the ledger does not know.
type RecordRow struct {
	ID     string
	Record wire.Record
	Text   string // the record as Redis stores it, or "" if the ledger does not know the id
}

// RecordRowOf returns the row of a record that the ledger knows.
func RecordRowOf(id string, record wire.Record) RecordRow {
	return RecordRow{id, record, record.Encode()}
}

// Key returns the place of a live reservation among all live ones.
func (r *RecordRow) Key() LiveKey { return LiveKey{r.Record.Created, r.ID} }

// LiveKey orders live reservations by creation.
type LiveKey struct {
	Created int64 // Unix ms
	ID      string
}

// CompareLive orders live reservations by creation, then by id.
func CompareLive(a, b LiveKey) int {
	return cmp.Or(cmp.Compare(a.Created, b.Created), strings.Compare(a.ID, b.ID))
}

// ReservationPageOf returns the rows of a page of a search, at most limit, and the cursor of the next page. ids
// holds one id more if there is a next page. row returns nil for an id to skip. The page ends earlier with
// the row that brings it to cache.ReservationPageLinesMax.
func ReservationPageOf(ids []string, row func(id string) *wire.ReservationRow, limit int) (rows []wire.ReservationRow, next string) {
	read, lines := 0, 0
	for read < min(len(ids), limit) && lines < cache.ReservationPageLinesMax {
		if r := row(ids[read]); r != nil {
			rows = append(rows, *r)
			lines += len(r.Record.Lines)
		}
		read++
	}
	if read < len(ids) && len(rows) > 0 {
		last := rows[len(rows)-1]
		next = wire.ReservationCursor(last.Record.Created, last.ID)
	}
	return rows, next
}
