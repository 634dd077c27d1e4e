package stockcsv

import (
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Reader reads levels one by one. It accepts a byte order mark and Windows line endings.
type Reader struct {
	name    string
	options Options
	budget  *budget
	csv     *csv.Reader
	sum     hash.Hash
	header  map[string]int // column -> field; nil before the header is read
	cells   []cell         // of each record, with the units at a location
	fields  int            // in the header
	line    int            // first line of the last record
	rows    []read         // of the last record
	next    int            // the row to return next
	done    bool
}

// cell is a column with the units on hand at a location; "" means that the location is a column too.
type cell struct {
	field    int
	location string
	name     string // for faults
}

type read struct {
	row    Row
	faults []Fault
}

// NewReader returns a reader of file. Its faults have the name.
func NewReader(name string, file io.Reader, options Options) (*Reader, error) {
	r := &Reader{name: name, options: options, sum: sha256.New()}
	var decoder transform.Transformer = encoding.Nop.NewDecoder()
	if options.Encoding != "" {
		named, err := htmlindex.Get(options.Encoding)
		if err != nil {
			return nil, fmt.Errorf("there is no encoding %q: use a name such as windows-1252, iso-8859-15 or utf-16le", options.Encoding)
		}
		decoder = named.NewDecoder()
	}
	text := transform.NewReader(io.TeeReader(file, r.sum), unicode.BOMOverride(decoder))
	r.budget = &budget{from: text}
	r.csv = csv.NewReader(r.budget)
	r.csv.FieldsPerRecord = -1 // addRows checks this, because it knows the column
	r.csv.ReuseRecord = true
	r.csv.Comma = cmp.Or(options.Delimiter, ',')
	r.csv.LazyQuotes = r.csv.Comma == '\t' // tab-delimited exports do not quote
	return r, nil
}

// Sum returns the SHA-256 of the file in hexadecimal. It is valid after Read has returned io.EOF,
// unless the header has a fault.
func (r *Reader) Sum() string { return hex.EncodeToString(r.sum.Sum(nil)) }

// Read returns the next level. If its row has faults, it returns those, and the row has only its
// line. It returns io.EOF after the last row, and after a fault that makes the rest of the file
// unreadable.
func (r *Reader) Read() (Row, []Fault, error) {
	for r.next == len(r.rows) {
		if r.done {
			return Row{}, nil, io.EOF
		}
		if r.header == nil {
			if faults, err := r.readHeader(); err != nil || len(faults) > 0 {
				r.done = true
				return Row{Line: 1}, faults, err
			}
		}
		record, faults, err := r.record()
		if err != nil || len(faults) > 0 {
			return Row{Line: r.line}, faults, err
		}
		r.rows, r.next = r.rows[:0], 0
		r.addRows(record)
	}
	r.next++
	return r.rows[r.next-1].row, r.rows[r.next-1].faults, nil
}

// record returns the next record, or the fault that makes it unreadable.
func (r *Reader) record() ([]string, []Fault, error) {
	r.budget.left = recordBytesMax
	record, err := r.csv.Read()
	var parse *csv.ParseError
	switch {
	case r.budget.spent:
		r.done = true
		r.line++
		return nil, []Fault{r.fault(r.line, 1, "", fmt.Sprintf(
			"the row is longer than %d KiB: is a quote not closed?", recordBytesMax>>10))}, nil
	case errors.As(err, &parse):
		r.line = parse.StartLine
		return nil, []Fault{r.fault(parse.Line, parse.Column, "", parseMessage(parse))}, nil
	case errors.Is(err, io.EOF):
		r.done = true
		return nil, nil, io.EOF
	case err != nil:
		return nil, nil, fmt.Errorf("read %s: %w", r.name, err)
	}
	r.line, _ = r.csv.FieldPos(0)
	return record, nil, nil
}

func parseMessage(e *csv.ParseError) string {
	if errors.Is(e.Err, csv.ErrBareQuote) {
		return `has a " in an unquoted field: quote the whole field, and write "" for each " in it`
	}
	return `has a quoted field that does not end correctly: put " before the comma, and write "" for each " in the field`
}

func (r *Reader) fault(line, column int, field, message string) Fault {
	return Fault{File: r.name, Line: line, Column: column, Field: field, Message: message}
}

// budget limits how much of a file is read for one record.
type budget struct {
	from  io.Reader
	left  int
	spent bool
}

var errSpent = errors.New("record too long")

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.spent = true
		return 0, errSpent
	}
	n, err := b.from.Read(p)
	b.left -= n
	return n, err
}
