package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// recordVersion is the first field of every stored record; another one is not read.
const recordVersion = "1"

// Record is a reservation as Redis keeps it and events carry it:
//
//	1 state version expires birth created transition fingerprint channel customer order
//	then for each line: name sku requested returned, and location quantity fulfilled for each
//	location it comes from
//
// fields joined by the unit separator, lines led by the record separator. A line's name may have tags
// (its kit, its limits). The scripts write it; Go only reads it, but for a rebuild.
type Record struct {
	State       State // as it was made by a transition: an overdue hold is held here
	Version     int64
	Expires     int64  // Unix ms
	Birth       string // nonce of the entry that made it
	Created     int64  // Unix ms
	Transition  string // the last transition: verb/version/what was asked; "" at first
	Fingerprint string // of what the caller sent
	Channel     location.Channel
	Customer    string
	Order       string
	Lines       []RecordLine
}

// RecordLine is one line of a Record. A kit has one for each component, all of the same Line.
type RecordLine struct {
	Line      string
	Kit       *RecordKit // nil: it is no component
	Limits    []RecordLimit
	SKU       location.SKU
	Requested int64
	Returned  int64
	From      []RecordAllocation
}

// RecordAllocation is the part of a line that one location serves.
type RecordAllocation struct {
	Location  location.ID
	Quantity  int64 // units
	Fulfilled int64 // units of Quantity that have left
}

// DecodeRecord reads a stored record; the error wraps errCorrupt.
func DecodeRecord(text string) (Record, error) {
	head, body, ok := strings.Cut(text, RecordSeparator)
	f := FieldReader{Rest: head}
	if v := f.Text(); !ok || v != recordVersion {
		return Record{}, fmt.Errorf("record of version %q: %w", v, ErrCorrupt)
	}
	r := Record{
		State: State(f.Text()), Version: f.Number(), Expires: f.Number(), Birth: f.Text(),
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
	named := line.setName(f.Text())
	line.SKU, line.Requested, line.Returned = location.SKU(f.Text()), f.Number(), f.Number()
	for !f.End && !f.Failed {
		line.From = append(line.From, RecordAllocation{
			Location: location.ID(f.Text()), Quantity: f.Number(), Fulfilled: f.Number(),
		})
	}
	if f.Failed || !named {
		return RecordLine{}, fmt.Errorf("line of record: %w", ErrCorrupt)
	}
	return line, nil
}

// Encode writes a record as the scripts do.
func (r Record) Encode() string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	parts := []string{strings.Join([]string{
		recordVersion, string(r.State), number(r.Version), number(r.Expires), r.Birth, number(r.Created),
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

// FieldReader reads a packed list field by field.
type FieldReader struct {
	Rest   string
	End    bool // the last field was read
	Failed bool // a field was missing or no whole number
}

func (f *FieldReader) Text() string {
	if f.End {
		f.Failed = true
		return ""
	}
	field, rest, more := strings.Cut(f.Rest, UnitSeparator)
	f.Rest, f.End = rest, !more
	return field
}

func (f *FieldReader) Number() int64 {
	n, err := strconv.ParseInt(f.Text(), 10, 64)
	if err != nil {
		f.Failed = true
	}
	return n
}
