package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// recordVersion is the first field of every stored record. A record with another version is not
// read.
const recordVersion = "1"

// Record is a reservation as Redis keeps it and events carry it:
//
//	1 state version expires creation_nonce created transition fingerprint channel customer order
//	then for each line: name sku requested returned, and location quantity fulfilled for each
//	location it comes from
//
// The unit separator joins fields, and the record separator stands before each line. A line's name
// may carry attributes: its kit, its limits and its flags.
type Record struct {
	State         State // after the last transition; an overdue hold is still held
	Version       int64
	Expires       int64  // Unix ms
	CreationNonce string // nonce of the entry that made it
	Created       int64  // Unix ms
	Transition    string // the last one, as verb/version/arguments; "" for a new reservation
	Fingerprint   string // of the caller's request
	Channel       location.Channel
	Customer      string
	Order         string
	Lines         []RecordLine
}

// RecordLine is one line of a Record. A kit has one RecordLine per component, all with the same
// Line.
type RecordLine struct {
	Line      string
	Kit       *RecordKit // nil if the line is not a component
	Limits    []RecordLimit
	Backorder bool // it takes its units even if they are not available
	SKU       location.SKU
	Requested int64
	Returned  int64
	From      []RecordAllocation
}

// RecordAllocation is the part of a line that comes from one location.
type RecordAllocation struct {
	Location  location.ID
	Quantity  int64 // units
	Fulfilled int64 // the units of Quantity that have left
}

// The marks in the transition of a record.
const (
	TransitionConflict = "conflict" // the ledger has another reservation with this id
	saleMark           = "+"        // ends the transition of a release of a sale
)

// LastCall returns the last transition as its caller asked for it.
func (r *Record) LastCall() string { return strings.TrimSuffix(r.Transition, saleMark) }

// WasConfirmed reports whether a reservation is a sale, or was one before it was released.
func (r *Record) WasConfirmed() bool {
	return r.State == StateConfirmed || r.State == StateFulfilled ||
		r.State == StateReleased && strings.HasSuffix(r.Transition, saleMark)
}

// Identities returns the identities that purchase limits count beside the customer.
func (r *Record) Identities() (list []string) {
	for i := range r.Lines {
		for _, limit := range r.Lines[i].Limits {
			if limit.Named && limit.Identity != "" && !slices.Contains(list, limit.Identity) {
				list = append(list, limit.Identity)
			}
		}
	}
	return list
}

// DecodeRecord reads a stored record. Its error wraps ErrCorrupt.
func DecodeRecord(text string) (Record, error) {
	head, body, ok := strings.Cut(text, RecordSeparator)
	f := FieldReader{Rest: head}
	if v := f.Text(); !ok || v != recordVersion {
		return Record{}, fmt.Errorf("record of version %q: %w", v, ErrCorrupt)
	}
	r := Record{
		State: State(f.Text()), Version: f.Number(), Expires: f.Number(), CreationNonce: f.Text(),
		Created: f.Number(), Transition: f.Text(), Fingerprint: f.Text(),
		Channel: location.Channel(f.Text()), Customer: f.Text(), Order: f.Text(),
	}
	if f.Failed || !f.End {
		return Record{}, fmt.Errorf("head of record: %w", ErrCorrupt)
	}
	r.Lines = make([]RecordLine, 0, strings.Count(body, RecordSeparator)+1)
	for more := true; more; {
		var part string
		part, body, more = strings.Cut(body, RecordSeparator)
		line, err := decodeLine(part)
		if err != nil {
			return Record{}, err
		}
		r.Lines = append(r.Lines, line)
	}
	return r, nil
}

func decodeLine(text string) (RecordLine, error) {
	f := FieldReader{Rest: text}
	line := RecordLine{}
	valid := line.setName(f.Text())
	line.SKU, line.Requested, line.Returned = location.SKU(f.Text()), f.Number(), f.Number()
	for !f.End && !f.Failed {
		line.From = append(line.From, RecordAllocation{
			Location: location.ID(f.Text()), Quantity: f.Number(), Fulfilled: f.Number(),
		})
	}
	if f.Failed || !valid {
		return RecordLine{}, fmt.Errorf("line of record: %w", ErrCorrupt)
	}
	return line, nil
}

// Encode returns the text of a record, as the scripts write it.
func (r Record) Encode() string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	parts := []string{strings.Join([]string{
		recordVersion, string(r.State), number(r.Version), number(r.Expires), r.CreationNonce, number(r.Created),
		r.Transition, r.Fingerprint, string(r.Channel), r.Customer, r.Order,
	}, UnitSeparator)}
	for _, l := range r.Lines {
		fields := []string{l.Name(), string(l.SKU), number(l.Requested), number(l.Returned)}
		for _, a := range l.From {
			fields = append(fields, string(a.Location), number(a.Quantity), number(a.Fulfilled))
		}
		parts = append(parts, strings.Join(fields, UnitSeparator))
	}
	return strings.Join(parts, RecordSeparator)
}
