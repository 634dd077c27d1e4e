package cache

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// countedBy returns how many units of a campaign one unit of the line counts as. A campaign that names
// the kit counts kits. Any other campaign counts the components that it names.
func (l *modelLine) countedBy(c *location.Campaign) (each int64) {
	named := func(sku location.SKU) bool { return len(c.SKUs) == 0 || slices.Contains(c.SKUs, sku) }
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

// limited reports whether a campaign limits what one customer may have of the line.
func (l *modelLine) limited() bool {
	return slices.ContainsFunc(l.campaigns, func(c *location.Campaign) bool { return c.PerCustomer != nil })
}

// keep drops the identities if no purchase limit counts the lines.
func (b *modelBuyer) keep(lines []modelLine) {
	if !slices.ContainsFunc(lines, func(l modelLine) bool { return l.limited() }) {
		b.identities = nil
	}
}

// names lists the customer and the identities, each once.
func (b *modelBuyer) names() (list []string) {
	for _, name := range slices.Concat([]string{b.customer}, b.identities) {
		if name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// most returns the most units of each counter of the line's campaigns.
func (l *modelLine) most(b modelBuyer) map[wire.LimitKey]int64 {
	most := map[wire.LimitKey]int64{}
	for _, c := range l.campaigns {
		if c.PerCustomer != nil {
			for _, name := range b.names() {
				most[wire.LimitKey{Limit: c.ID, Identity: name}] = *c.PerCustomer
			}
		}
		if c.Total != nil {
			most[wire.LimitKey{Limit: c.ID}] = *c.Total
		}
	}
	return most
}

// counts returns what campaigns count of a reservation in a state: all units, or after it was
// released or expired the fulfilled ones. Some do not count what came back.
func (r *modelReservation) counts(state State) map[wire.LimitKey]int64 {
	units := (*modelLine).quantity
	if state == StateReleased || state == StateExpired {
		units = (*modelLine).fulfilled
	}
	return counts(r.buyer, r.lines, units)
}

func counts(b modelBuyer, lines []modelLine, units func(*modelLine) int64) map[wire.LimitKey]int64 {
	counts := map[wire.LimitKey]int64{}
	for i := range lines {
		for _, c := range lines[i].campaigns {
			more := units(&lines[i])
			if c.FreesOnReturn {
				more -= lines[i].returned
			}
			more *= lines[i].countedBy(c)
			if c.PerCustomer != nil {
				for _, name := range b.names() {
					counts[wire.LimitKey{Limit: c.ID, Identity: name}] += more
				}
			}
			if c.Total != nil {
				counts[wire.LimitKey{Limit: c.ID}] += more
			}
		}
	}
	return counts
}

// exceeded returns the refusal for each counter that more units of lines would exceed.
func (m *model) exceeded(b modelBuyer, lines []modelLine, units func(*modelLine) int64) (over []string) {
	taken, more := m.taken(), counts(b, lines, units)
	for i := range lines {
		for key, most := range lines[i].most(b) {
			if taken[key]+more[key] > most {
				over = append(over, toldError(limitError(key, most, taken[key])))
			}
		}
	}
	return over
}

// taken returns what the counters of campaigns count of all reservations.
func (m *model) taken() map[wire.LimitKey]int64 {
	taken := map[wire.LimitKey]int64{}
	for _, r := range m.reservations {
		for key, n := range r.counts(r.state) {
			taken[key] += n
		}
	}
	return taken
}

// closed returns the refusal for each campaign of lines that sells nothing now.
func (m *model) closed(lines []modelLine) (closed []string) {
	for i := range lines {
		for _, c := range lines[i].campaigns {
			starts, _ := time.Parse(time.RFC3339, c.StartsAt) // "" is before all times of the test
			wait := max(0, starts.UnixMilli()-m.now)
			if ends, err := time.Parse(time.RFC3339, c.EndsAt); wait > 0 || err == nil && ends.UnixMilli() <= m.now {
				closed = append(closed, fmt.Sprintf("not_on_sale | %s starts in %v", c.ID, time.Duration(wait)*time.Millisecond))
			}
		}
	}
	return closed
}

// oneOf returns the error that is wanted if these refusals are possible: err, if it is one of them.
func oneOf(refusals []string, err error) error {
	if slices.Contains(refusals, toldError(err)) {
		return err
	}
	return fmt.Errorf("not one of %q", refusals)
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
