package wire

import (
	"strconv"
	"strings"
)

// The separators of values that are packed into one text. Identifiers have no control characters,
// so no identifier can contain one.
const (
	UnitSeparator   = "\x1f" // between the fields of a list
	RecordSeparator = "\x1e" // between lines
	GroupSeparator  = "\x1d" // between events
)

// FieldReader reads a list of fields, one by one.
type FieldReader struct {
	Rest   string // what is left to read
	End    bool   // the last field was read
	Failed bool   // a field was missing, or not a whole number
}

// Text reads the next field.
func (f *FieldReader) Text() string {
	if f.End {
		f.Failed = true
		return ""
	}
	field, rest, more := strings.Cut(f.Rest, UnitSeparator)
	f.Rest, f.End = rest, !more
	return field
}

// Number reads the next field as a whole number.
func (f *FieldReader) Number() int64 {
	n, err := strconv.ParseInt(f.Text(), 10, 64)
	if err != nil {
		f.Failed = true
	}
	return n
}
