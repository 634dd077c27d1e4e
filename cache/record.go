package cache

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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
	State       state // as it was made by a transition: an overdue hold is held here
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
	head, body, ok := strings.Cut(text, recordSeparator)
	f := fieldReader{rest: head}
	if v := f.text(); !ok || v != recordVersion {
		return Record{}, fmt.Errorf("record of version %q: %w", v, errCorrupt)
	}
	r := Record{
		State: state(f.text()), Version: f.number(), Expires: f.number(), Birth: f.text(),
		Created: f.number(), Transition: f.text(), Fingerprint: f.text(),
		Channel: location.Channel(f.text()), Customer: f.text(), Order: f.text(),
	}
	if f.failed || !f.end {
		return Record{}, fmt.Errorf("head of record: %w", errCorrupt)
	}
	r.Lines = make([]RecordLine, 0, strings.Count(body, recordSeparator)+1)
	for more := true; more; {
		var part string
		part, body, more = strings.Cut(body, recordSeparator)
		line, err := decodeLine(part)
		if err != nil {
			return Record{}, err
		}
		r.Lines = append(r.Lines, line)
	}
	return r, nil
}

func decodeLine(text string) (RecordLine, error) {
	f := fieldReader{rest: text}
	line := RecordLine{}
	named := line.setName(f.text())
	line.SKU, line.Requested, line.Returned = location.SKU(f.text()), f.number(), f.number()
	for !f.end && !f.failed {
		line.From = append(line.From, RecordAllocation{
			Location: location.ID(f.text()), Quantity: f.number(), Fulfilled: f.number(),
		})
	}
	if f.failed || !named {
		return RecordLine{}, fmt.Errorf("line of record: %w", errCorrupt)
	}
	return line, nil
}

// Encode writes a record as the scripts do.
func (r Record) Encode() string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	parts := []string{strings.Join([]string{
		recordVersion, string(r.State), number(r.Version), number(r.Expires), r.Birth, number(r.Created),
		r.Transition, r.Fingerprint, string(r.Channel), r.Customer, r.Order,
	}, unitSeparator)}
	for _, l := range r.Lines {
		fields := []string{l.name(), string(l.SKU), number(l.Requested), number(l.Returned)}
		for _, a := range l.From {
			fields = append(fields, string(a.Location), number(a.Quantity), number(a.Fulfilled))
		}
		parts = append(parts, strings.Join(fields, unitSeparator))
	}
	return strings.Join(parts, recordSeparator)
}

// Reservation is what a caller sees of a record at now, Unix ms: an overdue hold reads expired, and the
// components of a kit are one line.
func (r Record) Reservation(id string, now int64) Reservation {
	res := Reservation{
		ID: id, State: r.State, Version: r.Version,
		CreatedAt: time.UnixMilli(r.Created).UTC(), ExpiresAt: time.UnixMilli(r.Expires).UTC(),
		Channel: r.Channel, Customer: r.Customer, Order: r.Order,
		Lines: make([]Line, 0, len(r.Lines)),
	}
	if r.State == stateHeld && r.Expires <= now {
		res.State = stateExpired
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		last := len(res.Lines) - 1
		if l.Kit != nil && last >= 0 && res.Lines[last].Line == l.Line {
			res.Lines[last].Components = append(res.Lines[last].Components, l.component())
			continue
		}
		res.Lines = append(res.Lines, l.line())
	}
	return res
}

// line is what a caller sees of a line; of a kit's first component, that line in kits.
func (l *RecordLine) line() Line {
	each, sku := int64(1), l.SKU
	var components []Component
	if l.Kit != nil {
		each, sku, components = l.Kit.Each, l.Kit.SKU, []Component{l.component()}
	}
	line := Line{
		Line: l.Line, SKU: sku, Requested: l.Requested / each, Returned: l.Returned / each,
		From: make([]Allocation, len(l.From)), Components: components,
	}
	for i, a := range l.From {
		line.Quantity += a.Quantity / each
		line.Fulfilled += a.Fulfilled / each
		line.From[i] = Allocation{Location: a.Location, Quantity: a.Quantity / each}
	}
	return line
}

// component is what a caller sees of a component of a kit.
func (l *RecordLine) component() Component {
	c := Component{SKU: l.SKU, From: make([]Allocation, len(l.From))}
	for i, a := range l.From {
		c.Quantity += a.Quantity
		c.From[i] = Allocation{Location: a.Location, Quantity: a.Quantity}
	}
	return c
}

// fieldReader reads a packed list field by field.
type fieldReader struct {
	rest   string
	end    bool // the last field was read
	failed bool // a field was missing or no whole number
}

func (f *fieldReader) text() string {
	if f.end {
		f.failed = true
		return ""
	}
	field, rest, more := strings.Cut(f.rest, unitSeparator)
	f.rest, f.end = rest, !more
	return field
}

func (f *fieldReader) number() int64 {
	n, err := strconv.ParseInt(f.text(), 10, 64)
	if err != nil {
		f.failed = true
	}
	return n
}
