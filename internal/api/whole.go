package api

import (
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Whole is a whole number in a request. Anything else, 1.5, 1e3 or "1", is malformed. A whole
// number that int64 can't hold is understood, though no limit allows it: it is kept as the nearest
// that fits, so that the store's own check refuses it beside every other fault of the request.
type Whole int64

var errNotWhole = errors.New("must be a whole number")

// UnmarshalJSONFrom reads a number without fraction or exponent.
func (w *Whole) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case 'n':
		return nil // null means absent
	case '0':
		if *w, err = parseWhole(string(value)); err == nil {
			return nil
		}
	}
	return &json.SemanticError{JSONKind: value.Kind(), Err: errNotWhole}
}

func parseWhole(digits string) (Whole, error) {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return Whole(n), nil // out of range, ParseInt answers the nearest it can hold
	}
	return 0, errNotWhole
}

// units is w as the store takes it; nil stays nil.
func (w *Whole) units() *int64 { return (*int64)(w) }

// positive is w where 0 means "not asked" to the store: absent is 0, and a 0 that was sent is -1,
// which the store refuses.
func (w *Whole) positive() int64 {
	switch {
	case w == nil:
		return 0
	case *w == 0:
		return -1
	}
	return int64(*w)
}

// seconds is w as a duration, by the same rule as positive. It never overflows: what no deadline
// can be is kept as the longest or shortest one.
func (w *Whole) seconds() time.Duration {
	const most = int64(math.MaxInt64 / time.Second)
	return time.Duration(min(max(w.positive(), -most), most)) * time.Second
}
