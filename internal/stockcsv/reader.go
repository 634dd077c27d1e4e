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

// Reader reads rows one by one. A byte order mark and Windows line ends are tolerated.
type Reader struct {
	name   string
	budget *budget
	buffer *bufio.Reader
	csv    *csv.Reader
	sum    hash.Hash
	header map[string]int // column -> field; nil before the header was read
	fields int            // in the header
	line   int            // last line that a record began on
	done   bool
}

// NewReader reads file; name is for its faults.
func NewReader(name string, file io.Reader) *Reader {
	r := &Reader{name: name, sum: sha256.New()}
	r.budget = &budget{from: io.TeeReader(file, r.sum)}
	r.buffer = bufio.NewReaderSize(r.budget, readAhead)
	r.csv = csv.NewReader(r.buffer)
	r.csv.FieldsPerRecord = -1 // counted here, to say where
	r.csv.ReuseRecord = true
	return r
}

// Sum is the SHA-256 of the file, hexadecimal, once Read has answered io.EOF for a file without
// faults in its header.
func (r *Reader) Sum() string { return hex.EncodeToString(r.sum.Sum(nil)) }

// Read answers the next row, or what is wrong with it; then the row has only its line. It answers
// io.EOF after the last row, and after a fault that leaves the rest without meaning.
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

// record answers the next record, or the fault that it can't be read for.
func (r *Reader) record() ([]string, []Fault, error) {
	r.budget.left = recordBytesMax
	record, err := r.csv.Read()
	var parse *csv.ParseError
	switch {
	case r.budget.spent:
		r.done = true
		r.line++
		return nil, []Fault{r.fault(r.line, 1, "", fmt.Sprintf(
			"the row is over %d KiB: is a quote not closed?", recordBytesMax>>10))}, nil
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
		return `a " stands in a field that is not quoted: quote the whole field and write "" for it`
	}
	return `a quoted field does not end as it must: close it with " before the comma, and write "" for a " in it`
}

// skipMark passes over a byte order mark. Of two-byte encodings it says so.
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

// position is where the field of a column stands in the last record.
func (r *Reader) position(column string) (line, col int) {
	return r.csv.FieldPos(r.header[column])
}

func (r *Reader) fault(line, column int, field, message string) Fault {
	return Fault{File: r.name, Line: line, Column: column, Field: field, Message: message}
}

// budget ends a file that reads on and on for one record.
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
