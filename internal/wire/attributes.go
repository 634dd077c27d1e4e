package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

const (
	fileSeparator = "\x1c" // before each attribute that follows the name of a record's line
	escape        = "\x1b" // before the identity that a limit counts, and before the id of a limit that a return frees
)

// RecordKit is the kit that a line of a record is a component of.
type RecordKit struct {
	SKU  location.SKU // the kit's
	Each int64        // units of the component in one kit
}

// RecordLimit is a purchase limit that counts the units of a line.
type RecordLimit struct {
	ID       string
	Most     int64  // the most units that it allows
	Each     int64  // units of the line that count as one
	Named    bool   // counts units of Identity; else of the reservation's customer
	Identity string // if Named: whose units; "" is the total of all customers

	FreesOnReturn bool // does not count units that came back
}

// Key returns the counter of the limit for a reservation of a customer. counts is false if it counts
// nothing there: there is no customer, or the limit names the customer, who is counted already.
func (l *RecordLimit) Key(customer string) (key LimitKey, counts bool) {
	switch {
	case !l.Named:
		return LimitKey{l.ID, customer}, customer != ""
	default:
		return LimitKey{l.ID, l.Identity}, l.Identity == "" || l.Identity != customer
	}
}

// text returns the limit as an attribute: "most each id", with ESC before the id if a return frees
// it, and the identity after ESC if it is named.
func (l *RecordLimit) text() string {
	text := fmt.Sprintf("%d %d ", l.Most, l.Each)
	if l.FreesOnReturn {
		text += escape
	}
	text += l.ID
	if l.Named {
		text += escape + l.Identity
	}
	return text
}

// parseLimit is the inverse of RecordLimit.text. ok is false if text is no limit.
func parseLimit(text string) (l RecordLimit, ok bool) {
	fields := strings.SplitN(text, " ", 3)
	if len(fields) < 3 {
		return RecordLimit{}, false
	}
	most, err1 := strconv.ParseInt(fields[0], 10, 64)
	each, err2 := strconv.ParseInt(fields[1], 10, 64)
	l = RecordLimit{Most: most, Each: each}
	id, frees := strings.CutPrefix(fields[2], escape)
	l.FreesOnReturn = frees
	l.ID, l.Identity, l.Named = strings.Cut(id, escape)
	return l, err1 == nil && err2 == nil && each >= 1
}

// flagBackorder is the attribute of a line that may be backordered.
const flagBackorder = "backorder"

// Name returns the line's name with its attributes, as a record has it: the kit, the units of the
// component in one kit, each limit, and the flag of a line that may be backordered. A line without
// any of these has no attributes.
func (l *RecordLine) Name() string {
	if l.Kit == nil && len(l.Limits) == 0 && !l.Backorder {
		return l.Line
	}
	kit, each := "", ""
	if l.Kit != nil {
		kit, each = string(l.Kit.SKU), strconv.FormatInt(l.Kit.Each, 10)
	}
	parts := []string{l.Line, kit, each}
	for _, limit := range l.Limits {
		parts = append(parts, limit.text())
	}
	if l.Backorder {
		parts = append(parts, flagBackorder)
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
		if part == flagBackorder {
			l.Backorder = true
			continue
		}
		limit, ok := parseLimit(part)
		if !ok {
			return false
		}
		l.Limits = append(l.Limits, limit)
	}
	return true
}

// LimitKey names a counter of a purchase limit.
type LimitKey struct {
	Limit    string
	Identity string // whose units it counts, such as a customer; "" is the total of all customers
}

// Name returns the field of the key in the hash limits.
func (k LimitKey) Name() string { return k.Limit + UnitSeparator + k.Identity }

// SplitLimit is the inverse of LimitKey.Name. ok is false if name is not the field of a limit.
func SplitLimit(name string) (key LimitKey, ok bool) {
	limit, identity, ok := strings.Cut(name, UnitSeparator)
	ok = ok && location.IsIdentifier(limit) && (identity == "" || location.IsIdentifier(identity))
	return LimitKey{limit, identity}, ok
}

// LimitCounts returns what purchase limits count of a record. They count all units of a reservation
// that is held, confirmed or fulfilled. After a release or expiry they count the fulfilled units. A
// limit that a return frees does not count the units that came back.
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
			key, counted := limit.Key(r.Customer)
			switch {
			case counted && limit.FreesOnReturn:
				counts[key] += (units - l.Returned) / limit.Each
			case counted:
				counts[key] += units / limit.Each
			}
		}
	}
	return counts
}
