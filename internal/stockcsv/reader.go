package stockcsv

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

const readAhead = 32 << 10 // bytes read from a file at once

var (
	markUTF8  = []byte("\xef\xbb\xbf")
	marksWide = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// Reader reads rows one by one. It accepts a UTF-8 byte order mark and Windows line endings.
type Reader struct {
	name   string
	budget *budget
	buffer *bufio.Reader
	csv    *csv.Reader
	sum    hash.Hash
	header map[string]int // column -> field; nil before the header is read
	fields int            // in the header
	line   int            // first line of the last record
	done   bool
}

// NewReader returns a reader of file. Its faults have the name.
func NewReader(name string, file io.Reader) *Reader {
	r := &Reader{name: name, sum: sha256.New()}
	r.budget = &budget{from: io.TeeReader(file, r.sum)}
	r.buffer = bufio.NewReaderSize(r.budget, readAhead)
	r.csv = csv.NewReader(r.buffer)
	r.csv.FieldsPerRecord = -1 // row checks this, because it knows the column
	r.csv.ReuseRecord = true
	return r
}

// Sum returns the SHA-256 of the file in hexadecimal. It is valid after Read has returned io.EOF,
// unless the header has a fault.
func (r *Reader) Sum() string { return hex.EncodeToString(r.sum.Sum(nil)) }

// Read returns the next row. If the row has faults, it returns those, and the row has only its
// line. It returns io.EOF after the last row, and after a fault that makes the rest of the file
// unreadable.
func (r *Reader) Read() (Row, []Fault, error) {
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
	return r.row(record)
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

// skipMark skips a UTF-8 byte order mark. It returns a message if the file is UTF-16.
func (r *Reader) skipMark() (string, error) {
	r.budget.left = recordBytesMax
	start, err := r.buffer.Peek(len(markUTF8))
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read %s: %w", r.name, err)
	}
	for _, mark := range marksWide {
		if bytes.HasPrefix(start, mark) {
			return "is UTF-16: save it as UTF-8", nil
		}
	}
	if bytes.Equal(start, markUTF8) {
		_, err = r.buffer.Discard(len(markUTF8))
		return "", err
	}
	return "", nil
}

// position returns the line and column of a field in the last record.
func (r *Reader) position(column string) (line, col int) {
	return r.csv.FieldPos(r.header[column])
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
