package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// fileSeparator stands before each attribute that follows the name of a record's line.
const fileSeparator = "\x1c"

// RecordKit is the kit that a line of a record is a component of.
type RecordKit struct {
	SKU  location.SKU // the kit's
	Each int64        // units of the component in one kit
}

// RecordLimit is a purchase limit that counts the units of a line.
type RecordLimit struct {
	ID   string
	Most int64 // the most that one customer may have
	Each int64 // units of the line that count as one
}

// Name returns the line's name with its attributes, as a record has it: the kit, the units of the
// component in one kit, and each limit as "most each id". A line without a kit and limits has no
// attributes.
func (l *RecordLine) Name() string {
	if l.Kit == nil && len(l.Limits) == 0 {
		return l.Line
	}
	kit, each := "", ""
	if l.Kit != nil {
		kit, each = string(l.Kit.SKU), strconv.FormatInt(l.Kit.Each, 10)
	}
	parts := []string{l.Line, kit, each}
	for _, limit := range l.Limits {
		parts = append(parts, fmt.Sprintf("%d %d %s", limit.Most, limit.Each, limit.ID))
	}
	return strings.Join(parts, fileSeparator)
}

// setName is the inverse of Name. It reports whether text is valid.
func (l *RecordLine) setName(text string) bool {
	name, attributes, found := strings.Cut(text, fileSeparator)
	l.Line = name
	if !found {
		return true
	}
	parts := strings.Split(attributes, fileSeparator)
	if len(parts) < 2 {
		return false
	}
	if parts[0] != "" {
		each, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || each < 1 {
			return false
		}
		l.Kit = &RecordKit{SKU: location.SKU(parts[0]), Each: each}
	}
	for _, part := range parts[2:] {
		fields := strings.SplitN(part, " ", 3)
		if len(fields) < 3 {
			return false
		}
		most, err1 := strconv.ParseInt(fields[0], 10, 64)
		each, err2 := strconv.ParseInt(fields[1], 10, 64)
		if err1 != nil || err2 != nil || each < 1 {
			return false
		}
		l.Limits = append(l.Limits, RecordLimit{ID: fields[2], Most: most, Each: each})
	}
	return true
}

// LimitKey names the count of a purchase limit for one customer.
type LimitKey struct {
	Limit    string
	Customer string
}

// Name returns the field of the key in the hash limits.
func (k LimitKey) Name() string { return k.Limit + UnitSeparator + k.Customer }

// SplitLimit is the inverse of LimitKey.Name. ok is false if name is not the field of a limit.
func SplitLimit(name string) (key LimitKey, ok bool) {
	limit, customer, ok := strings.Cut(name, UnitSeparator)
	return LimitKey{limit, customer}, ok && location.IsIdentifier(limit) && location.IsIdentifier(customer)
}

// LimitCounts returns what purchase limits count of a record. They count all units of a reservation
// that is held, confirmed or fulfilled. After a release or expiry they count the fulfilled units.
func (r *Record) LimitCounts() map[LimitKey]int64 {
	var counts map[LimitKey]int64
	for i := range r.Lines {
		l := &r.Lines[i]
		if len(l.Limits) == 0 {
			continue
		}
		units := int64(0)
		for _, a := range l.From {
			if r.State == StateReleased || r.State == StateExpired {
				units += a.Fulfilled
			} else {
				units += a.Quantity
			}
		}
		if counts == nil {
			counts = map[LimitKey]int64{}
		}
		for _, limit := range l.Limits {
			counts[LimitKey{limit.ID, r.Customer}] += units / limit.Each
		}
	}
	return counts
}
