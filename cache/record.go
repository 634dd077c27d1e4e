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

// record is a reservation as Redis keeps it:
//
//	1 state version expires birth created transition fingerprint channel customer order
//	then for each line: line sku requested returned, and location quantity fulfilled for each
//	location it comes from
//
// fields joined by the unit separator, lines led by the record separator. The scripts write it; Go
// only reads it, apart from tests and a rebuild.
type record struct {
	state       State
	version     int64
	expires     int64  // Unix ms
	birth       string // nonce of the entry that made it
	created     int64  // Unix ms
	transition  string // the last transition: verb/version/what was asked
	fingerprint string
	channel     location.Channel
	customer    string
	order       string
	lines       []recordLine
}

type recordLine struct {
	line      string
	sku       location.SKU
	requested int64
	returned  int64
	from      []recordAllocation
}

type recordAllocation struct {
	location            location.ID
	quantity, fulfilled int64
}

// decodeRecord reads a stored record; the error wraps ErrCorrupt.
func decodeRecord(text string) (record, error) {
	head, body, ok := strings.Cut(text, recordSeparator)
	f := fieldReader{rest: head}
	if v := f.text(); !ok || v != recordVersion {
		return record{}, fmt.Errorf("record of version %q: %w", v, ErrCorrupt)
	}
	r := record{
		state: State(f.text()), version: f.number(), expires: f.number(), birth: f.text(),
		created: f.number(), transition: f.text(), fingerprint: f.text(),
		channel: location.Channel(f.text()), customer: f.text(), order: f.text(),
	}
	if f.failed || !f.end {
		return record{}, fmt.Errorf("head of record: %w", ErrCorrupt)
	}
	r.lines = make([]recordLine, 0, strings.Count(body, recordSeparator)+1)
	for more := true; more; {
		var part string
		part, body, more = strings.Cut(body, recordSeparator)
		line, err := decodeLine(part)
		if err != nil {
			return record{}, err
		}
		r.lines = append(r.lines, line)
	}
	return r, nil
}

func decodeLine(text string) (recordLine, error) {
	f := fieldReader{rest: text}
	line := recordLine{line: f.text(), sku: location.SKU(f.text()), requested: f.number(), returned: f.number()}
	for !f.end && !f.failed {
		line.from = append(line.from, recordAllocation{
			location: location.ID(f.text()), quantity: f.number(), fulfilled: f.number(),
		})
	}
	if f.failed {
		return recordLine{}, fmt.Errorf("line of record: %w", ErrCorrupt)
	}
	return line, nil
}

// encode writes a record as the scripts do.
func (r record) encode() string {
	parts := []string{strings.Join([]string{
		recordVersion, string(r.state), strconv.FormatInt(r.version, 10), strconv.FormatInt(r.expires, 10),
		r.birth, strconv.FormatInt(r.created, 10), r.transition, r.fingerprint,
		string(r.channel), r.customer, r.order,
	}, unitSeparator)}
	for _, l := range r.lines {
		fields := []string{l.line, string(l.sku), strconv.FormatInt(l.requested, 10), strconv.FormatInt(l.returned, 10)}
		for _, a := range l.from {
			fields = append(fields, string(a.location), strconv.FormatInt(a.quantity, 10), strconv.FormatInt(a.fulfilled, 10))
		}
		parts = append(parts, strings.Join(fields, unitSeparator))
	}
	return strings.Join(parts, recordSeparator)
}

// reservation is what a caller sees of a record at now, Unix ms: an overdue hold reads expired.
func (r record) reservation(id string, now int64) Reservation {
	res := Reservation{
		ID: id, State: r.state, Version: r.version,
		CreatedAt: time.UnixMilli(r.created).UTC(), ExpiresAt: time.UnixMilli(r.expires).UTC(),
		Channel: r.channel, Customer: r.customer, Order: r.order,
		Lines: make([]Line, len(r.lines)),
	}
	if r.state == StateHeld && r.expires <= now {
		res.State = StateExpired
	}
	for i, l := range r.lines {
		line := Line{Line: l.line, SKU: l.sku, Requested: l.requested, Returned: l.returned,
			From: make([]Allocation, len(l.from))}
		for j, a := range l.from {
			line.Quantity += a.quantity
			line.Fulfilled += a.fulfilled
			line.From[j] = Allocation{Location: a.location, Quantity: a.quantity}
		}
		res.Lines[i] = line
	}
	return res
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
