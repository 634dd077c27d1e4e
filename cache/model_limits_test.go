package cache

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// modelLimit is a purchase limit that counts a line.
type modelLimit struct {
	id         string
	most, each int64 // units a customer may have; units that one unit of the line counts as
}

// countedBy returns how many units of a limit one unit of the line counts as. A limit that names
// the kit counts kits. Any other limit counts the components that it names.
func (l *modelLine) countedBy(limit location.Limit) (each int64) {
	named := func(sku location.SKU) bool { return len(limit.SKUs) == 0 || slices.Contains(limit.SKUs, sku) }
	if named(l.sku) {
		return 1
	}
	for _, part := range l.parts {
		if named(part.SKU) {
			each += part.Quantity
		}
	}
	return each
}

// counts returns what purchase limits count of a reservation in a state: all units, or after it was
// released or expired the fulfilled ones.
func (r *modelReservation) counts(state State) map[wire.LimitKey]int64 {
	units := (*modelLine).quantity
	if state == StateReleased || state == StateExpired {
		units = (*modelLine).fulfilled
	}
	return counts(r.request.Customer, r.lines, units)
}

func counts(customer string, lines []modelLine, units func(*modelLine) int64) map[wire.LimitKey]int64 {
	counts := map[wire.LimitKey]int64{}
	for i := range lines {
		for _, limit := range lines[i].limits {
			counts[wire.LimitKey{Limit: limit.id, Identity: customer}] += units(&lines[i]) * limit.each
		}
	}
	return counts
}

// exceeded returns the purchase limits that a customer would exceed with more units of lines, and
// the units that each counts now.
func (m *model) exceeded(customer string, lines []modelLine, units func(*modelLine) int64) map[string]int64 {
	taken, over := map[wire.LimitKey]int64{}, map[string]int64{}
	for _, r := range m.reservations {
		for key, n := range r.counts(r.state) {
			taken[key] += n
		}
	}
	more := counts(customer, lines, units)
	for i := range lines {
		for _, limit := range lines[i].limits {
			if key := (wire.LimitKey{Limit: limit.id, Identity: customer}); taken[key]+more[key] > limit.most {
				over[limit.id] = taken[key]
			}
		}
	}
	return over
}

// checkLimits compares the counts of purchase limits with the model.
func (p *play) checkLimits(t *rapid.T) {
	stored, err := p.client.HGetAll(p.ctx, p.store.keys.Limits).Result()
	if err != nil {
		t.Fatal(err)
	}
	taken := map[wire.LimitKey]int64{}
	for _, r := range p.model.reservations {
		for key, units := range r.counts(r.stored()) {
			taken[key] += units
		}
	}
	var got, want []string
	for name, units := range stored {
		got = append(got, strings.ReplaceAll(name, wire.UnitSeparator, " ")+" "+units)
	}
	for key, units := range taken {
		if units != 0 {
			want = append(want, fmt.Sprint(key.Limit, " ", key.Identity, " ", units))
		}
	}
	compare(t, "limits", got, want)
}
