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
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast/holdfast/cache"
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

// readHeader finds the columns. If the header has a fault, the rest of the file is not read,
// because the meaning of its fields is unknown.
func (r *Reader) readHeader() ([]Fault, error) {
	wide, err := r.skipMark()
	if err != nil {
		return nil, err
	}
	if wide != "" {
		return []Fault{r.fault(1, 1, "", wide)}, nil
	}
	record, faults, err := r.record()
	if errors.Is(err, io.EOF) {
		return []Fault{r.fault(1, 1, "", "is empty: it needs the header "+strings.Join(columns, ","))}, nil
	}
	if err != nil || len(faults) > 0 {
		return faults, err
	}
	if message := separator(record); message != "" {
		return []Fault{r.fault(r.line, 1, "", message)}, nil
	}
	r.header, r.fields = map[string]int{}, len(record)
	for i, name := range record {
		if message := r.addColumn(name, i); message != "" {
			line, column := r.csv.FieldPos(i)
			faults = append(faults, r.fault(line, column, "", message))
		}
	}
	for _, name := range columns[:columnsRequired] {
		if _, found := r.header[name]; !found {
			faults = append(faults, r.fault(r.line, 1, "", "the column "+name+" is missing"))
		}
	}
	return faults, nil
}

// addColumn returns what is wrong with a name in the header, or "".
func (r *Reader) addColumn(name string, field int) string {
	if !utf8.ValidString(name) {
		return "is not UTF-8: save the file as UTF-8"
	}
	name = strings.TrimSpace(name)
	if !slices.Contains(columns, name) {
		return fmt.Sprintf("%s is not a column; the columns are %s", quoted(name), strings.Join(columns, ", "))
	}
	if _, found := r.header[name]; found {
		return "the column " + name + " is there twice"
	}
	r.header[name] = field
	return ""
}

// separator reports a header that separates its columns with something other than commas, or "".
func separator(record []string) string {
	if len(record) != 1 {
		return ""
	}
	for mark, name := range map[string]string{";": "semicolons", "\t": "tabs"} {
		if strings.Contains(record[0], mark) {
			return "the columns are separated by " + name + ": save the file with commas"
		}
	}
	return ""
}

// row makes a Row from a record, or returns all its faults.
func (r *Reader) row(record []string) (Row, []Fault, error) {
	if len(record) != r.fields {
		line, column := r.csv.FieldPos(min(len(record)-1, r.fields))
		return Row{Line: r.line}, []Fault{r.fault(line, column, "",
			fmt.Sprintf("the row has %d fields, the header has %d", len(record), r.fields))}, nil
	}
	out := Row{Line: r.line}
	var faults []Fault
	check := func(column, message string) {
		if message != "" {
			line, col := r.position(column)
			faults = append(faults, r.fault(line, col, column, message))
		}
	}
	out.SKU = record[r.header[columnSKU]]
	check(columnSKU, identifierFault(out.SKU))
	out.Location = record[r.header[columnLocation]]
	check(columnLocation, identifierFault(out.Location))
	onHand, message := units(record[r.header[columnOnHand]])
	check(columnOnHand, message)
	out.OnHand = onHand
	out.SafetyStock, message = r.policy(record, columnSafety)
	check(columnSafety, message)
	out.BackorderLimit, message = r.policy(record, columnBackorder)
	check(columnBackorder, message)
	if len(faults) > 0 {
		return Row{Line: r.line}, faults, nil
	}
	return out, nil, nil
}

// policy reads an optional column. It returns nil if the column is missing or its field is empty.
func (r *Reader) policy(record []string, column string) (*int64, string) {
	i, found := r.header[column]
	if !found || record[i] == "" {
		return nil, ""
	}
	n, message := units(record[i])
	return &n, message
}

// identifierFault returns what is wrong with a SKU or location, or "".
func identifierFault(id string) string {
	switch {
	case id == "":
		return "is empty"
	case !utf8.ValidString(id):
		return "is not UTF-8: save the file as UTF-8"
	case len(id) > cache.IdentifierBytesMax:
		return fmt.Sprintf("is %d bytes long, at most %d are allowed", len(id), cache.IdentifierBytesMax)
	case strings.ContainsFunc(id, unicode.IsControl):
		return quoted(id) + " has a control character"
	case strings.ContainsAny(id, "{}"):
		return quoted(id) + " has a { or }, which are not allowed"
	case id == "." || id == "..":
		return quoted(id) + " is not allowed as a name"
	}
	return ""
}

// units parses a whole number from 0 to cache.QuantityMax, or returns what is wrong with it.
func units(text string) (int64, string) {
	digits := strings.TrimPrefix(text, "-")
	switch {
	case text == "":
		return 0, "is empty; write 0 for none"
	case digits == "" || strings.ContainsFunc(digits, func(c rune) bool { return c < '0' || c > '9' }):
		return 0, quoted(text) + " is not a whole number"
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case digits != text && (err != nil || n < 0):
		return 0, quoted(text) + " is below 0"
	case err != nil || n > cache.QuantityMax:
		return 0, fmt.Sprintf("%s is over %d", quoted(text), int64(cache.QuantityMax))
	}
	return n, ""
}

// quoted returns a value for a fault: short, and safe to print on a terminal.
func quoted(value string) string {
	cut := value
	if len(cut) > quotedBytesMax {
		cut = strings.ToValidUTF8(cut[:quotedBytesMax], "") + "…"
	}
	odd := func(c rune) bool { return c == utf8.RuneError || c == '"' || !strconv.IsPrint(c) }
	if cut != "" && strings.TrimSpace(cut) == cut && !strings.ContainsFunc(cut, odd) {
		return cut
	}
	return strconv.Quote(cut)
}
