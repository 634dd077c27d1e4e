package contract

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/holdfast/holdfast/internal/decimal"
)

// Time is a moment as an answer writes it: RFC 3339 in UTC, to the millisecond.
type Time struct{ time.Time }

// MarshalJSON formats the time for encoding/json. A zero time must be left out with omitzero.
func (t Time) MarshalJSON() ([]byte, error) { return t.append(nil), nil }

// MarshalJSONTo formats the time for the server, which must not allocate for it.
func (t Time) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteValue(t.append(enc.AvailableBuffer()))
}

func (t Time) append(b []byte) []byte {
	return t.UTC().AppendFormat(b, `"2006-01-02T15:04:05.000Z07:00"`)
}

// Whole is a whole number in a request, however it is written: 2, 2.0 or 2e0. Anything else, such as
// 1.5 or "1", is malformed. A number beyond int64 becomes the nearest int64: no limit allows it, so
// the store refuses it together with the other faults of the request.
type Whole int64

// ErrNotWhole is the error for a value that is not a whole number.
var ErrNotWhole = errors.New("must be a whole number")

// UnmarshalJSONFrom reads a number, exactly. null leaves w as it is.
func (w *Whole) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case 'n':
		return nil
	case '0':
		if n, ok := decimal.Whole(string(value)); ok {
			*w = Whole(n)
			return nil
		}
	}
	return &json.SemanticError{JSONKind: value.Kind(), Err: ErrNotWhole}
}

// ParseWhole reads a whole number from digits. Errors: ErrNotWhole.
func ParseWhole(digits string) (Whole, error) {
	n, ok := decimal.Digits(digits)
	if !ok {
		return 0, ErrNotWhole
	}
	return Whole(n), nil
}
