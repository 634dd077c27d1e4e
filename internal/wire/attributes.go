package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// fileSeparator leads each tag behind the name of a record's line.
const fileSeparator = "\x1c"

// RecordKit says that a line of a record is a component of a kit.
type RecordKit struct {
	SKU  location.SKU // of the kit
	Each int64        // units of the component in one kit
}

// RecordLimit is a purchase limit that counts a line of a record.
type RecordLimit struct {
	ID   string
	Most int64 // what a customer may have of it
	Each int64 // units of the line that count as one
}

// Name is the line's name with its tags, as a record has it: the kit, the units in one, and the limits
// as "most each id". A line without a kit and without limits has none.
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

// setName is the inverse of name; false says that it is none.
func (l *RecordLine) setName(text string) bool {
	name, tags, tagged := strings.Cut(text, fileSeparator)
	l.Line = name
	if !tagged {
		return true
	}
	parts := strings.Split(tags, fileSeparator)
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
		most, rest, _ := strings.Cut(part, " ")
		each, id, ok := strings.Cut(rest, " ")
		limit := RecordLimit{ID: id}
		var err1, err2 error
		limit.Most, err1 = strconv.ParseInt(most, 10, 64)
		limit.Each, err2 = strconv.ParseInt(each, 10, 64)
		if !ok || err1 != nil || err2 != nil || limit.Each < 1 {
			return false
		}
		l.Limits = append(l.Limits, limit)
	}
	return true
}

// LimitKey names what a purchase limit counts for one customer.
type LimitKey struct {
	Limit    string
	Customer string
}

// Name is the key's field in limits.
func (k LimitKey) Name() string { return k.Limit + UnitSeparator + k.Customer }

// LimitCounts is what purchase limits count of a record: the units of its lines while it is held,
// confirmed or fulfilled, and after it was given back what had left before.
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
