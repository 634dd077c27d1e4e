package cache

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/location"
)

// amended amends and returns the locations that serve the lines, or the error.
func amended(list string) func(*bench) string {
	return func(b *bench) string {
		result, err := b.store.Amend(b.ctx, AmendRequest{ID: "ord", Operation: "chg", Lines: amendments(list)})
		if err != nil {
			return toldError(err)
		}
		return from(result)
	}
}

// TestAmend_Routed checks where an amend takes the units that a line gets more.
func TestAmend_Routed(t *testing.T) {
	for _, c := range []struct{ name, stock, split, order, amend, want string }{
		{"where the line has units, not the first location", "TEE@a=1 TEE@b=5", "", "1:TEE:2", "1:4", "b:4"},
		{"the whole line moves", "TEE@a=3 TEE@b=5", "", "1:TEE:3", "1:4", "b:4"},
		{"the line is not split", "TEE@a=3 TEE@b=3", "", "1:TEE:3", "1:4", "insufficient_stock | 1 TEE 3 of 4"},
		{"its own units count where it is", "TEE@a=3 TEE@b=2", "", "1:TEE:2", "1:3", "a:3"},
		{"only what is missing", "TEE@a=3 TEE@b=5", "units", "1:TEE:3", "1:4", "a:3 b:1"},
		{"first what is left here", "TEE@a=3 TEE@b=5", "units", "1:TEE:2", "1:5", "a:3 b:2"},
		{"all together too few", "TEE@a=3 TEE@b=5", "units", "1:TEE:3", "1:9", "insufficient_stock | 1 TEE 8 of 9"},
		{"the fewest locations for the rest", "TEE@a=1 TEE@b=1 TEE@c=9", "units", "1:TEE:1", "1:6", "a:1 c:5"},
		{"a new line", "TEE@a=3 CAP@b=1", "", "1:TEE:3", "2:1:CAP", "a:3, b:1"},
		{"a new line, pinned", "TEE@a=3 CAP@a=1 CAP@b=1", "", "1:TEE:3", "2:1:CAP:b", "a:3, b:1"},
		{"more of a line, pinned", "TEE@a=3 TEE@b=5", "units", "1:TEE:2", "1:5::b", "a:2 b:3"},
		{"other lines stay", "TEE@a=3 CAP@a=1 TEE@b=9 CAP@b=9", "", "1:TEE:3 2:CAP:1", "1:4", "b:4, a:1"},
		{"never: other lines bind it", "TEE@a=3 CAP@a=1 TEE@b=9 CAP@b=9", "never", "1:TEE:3 2:CAP:1", "1:4", "insufficient_stock | 1 TEE 3 of 4"},
		{"never: all lines move", "TEE@a=3 CAP@a=1 TEE@b=9 CAP@b=9", "never", "1:TEE:3 2:CAP:1", "1:4 2:2", "b:4, b:2"},
		{"never: a new line goes where the others are", "TEE@a=1 TEE@b=9 CAP@a=9 CAP@b=1", "never", "1:TEE:3", "2:1:CAP", "b:3, b:1"},
		{"never: a new line elsewhere", "TEE@a=3 CAP@a=0 CAP@b=1", "never", "1:TEE:3", "2:1:CAP", "insufficient_stock | 2 CAP 0 of 1"},
		{"never: the new line replaces the old", "TEE@a=3 CAP@a=0 CAP@b=1", "never", "1:TEE:3", "1:0 2:1:CAP", "b:1"},
		{"a new line that no location may serve", "TEE@a=3 CAP@d=1", "", "1:TEE:3", "2:1:CAP",
			"no_location | 2 a no_level | 2 b no_level | 2 c no_level | 2 d not_in_channel"},
		{"two new lines from one location", "TEE@a=3 CAP@b=1 HAT@b=1 CAP@c=1 HAT@a=1", "", "1:TEE:3", "2:1:CAP 3:1:HAT", "a:3, b:1, b:1"},
		{"kits where they are", "TEE@a=6 CAP@a=2 TEE@b=9 CAP@b=9", "", "1:GIFT:1", "1:2", "a:2"},
		{"kits move whole", "TEE@a=5 CAP@a=2 TEE@b=9 CAP@b=9", "", "1:GIFT:1", "1:2", "b:2"},
		{"the missing kits", "TEE@a=5 CAP@a=2 TEE@b=9 CAP@b=9", "units", "1:GIFT:1", "1:3", "a:1 b:2"},
		{"a new kit", "TEE@a=9 CAP@a=0 TEE@b=3 CAP@b=1", "", "1:TEE:3", "2:1:GIFT", "a:3, b:1"},
		{"two lines, too few for the second", "TEE@a=3 CAP@a=1 TEE@b=8 CAP@b=9", "units", "1:GIFT:1", "1:2 2:2:GIFT", "insufficient_stock | 2 GIFT 1 of 2"},
		{"half a kit is none", "TEE@a=5 CAP@a=9", "units", "1:GIFT:1", "1:2", "insufficient_stock | 1 GIFT 1 of 2"},
		{"fewer kits give units to a line", "TEE@a=6 CAP@a=2", "", "1:GIFT:2", "1:1 2:3:TEE", "a:1, a:3"},
		{"the last location gives back first", "TEE@a=2 TEE@b=2", "units", "1:TEE:4", "1:1", "a:1"},
		{"more kits than QuantityMax", "TEE@a=9 CAP@a=9", "", "1:GIFT:1", "1:2147483647",
			"invalid_request | /lines/0/quantity would be more than 2147483647 units of TEE"},
	} {
		operation{
			name: c.name, stock: c.stock, given: calls(direct(gift(location.Split(c.split))), reserve(order("ord", c.order))),
			when: amended(c.amend), answer: c.want,
		}.runAnswer(t)
	}
}

// TestAmend_Fulfilled checks that a line of which units have left does not move.
func TestAmend_Fulfilled(t *testing.T) {
	for _, c := range []struct{ name, split, want string }{
		{"whole lines", "lines", "insufficient_stock | 1 TEE 3 of 5"},
		{"units", "units", "a:3 b:2"},
	} {
		operation{
			name: c.name, stock: "TEE@a=3 TEE@b=9",
			given: calls(direct(shop(location.Split(c.split), nil, "a", "b")), reserve(order("ord", "1:TEE:3")), confirm("ord", 0), fulfill("ord", 2, "1:2")),
			when:  amended("1:5"), answer: c.want,
		}.runAnswer(t)
	}
}

// TestAmend_Directory checks that an amend goes by the directory of now and by the reservation's
// channel and address.
func TestAmend_Directory(t *testing.T) {
	disabled := shop("units", nil, "a", "b", "c")
	no := false
	disabled.Locations[0].Enabled = &no
	zoned := shop("units", nil, "a", "b", "c")
	zoned.Zones = append(zoned.Zones, location.Zone{ID: "fr", Countries: []string{"FR"}})
	zoned.Locations[1].Zones = []string{"fr"}
	to := &location.Address{Country: "DE"}
	withAddress := func(r ReserveRequest) ReserveRequest { r.ShipTo = to; return r }
	for _, c := range []struct {
		name string
		now  location.Directory
		r    AmendRequest
		want string
	}{
		{"a disabled location gives no more", disabled, AmendRequest{Lines: amendments("1:3")}, "a:2 b:1"},
		{"a location that does not ship to the address", zoned, AmendRequest{ShipTo: to, Lines: amendments("1:5")}, "a:3 c:2"},
		{"without a ledger the caller says the address", zoned, AmendRequest{Lines: amendments("1:5")}, "a:3 b:2"},
		{"a pickup", shop("units", nil, "a", "b", "c"), AmendRequest{Pickup: "b", Lines: amendments("2:1:TEE")}, "a:2, b:1"},
		{"the split of the reservation", shop("lines", nil, "a", "b", "c"), AmendRequest{Split: "units", Lines: amendments("1:5")}, "a:3 b:2"},
	} {
		c.r.ID, c.r.Operation = "ord", "chg"
		operation{
			name: c.name, stock: "TEE@a=3 TEE@b=9 TEE@c=9",
			given: calls(direct(shop("units", nil, "a", "b", "c")), reserve(withAddress(order("ord", "1:TEE:2"))), direct(c.now)),
			when: func(b *bench) string {
				result, err := b.store.Amend(b.ctx, c.r)
				if err != nil {
					return toldError(err)
				}
				return from(result)
			},
			answer: c.want,
		}.runAnswer(t)
	}
}

// TestAmend_Limits checks that purchase limits count the difference, up to the new quantity.
func TestAmend_Limits(t *testing.T) {
	tees := location.Campaign{ID: "tees", SKUs: []location.SKU{"TEE"}, PerCustomer: units(6)}
	gifts := location.Campaign{ID: "gifts", SKUs: []location.SKU{"GIFT"}, PerCustomer: units(2)}
	buy := func(id, customer, lines string) func(*bench) string {
		r := order(id, lines)
		r.Customer = customer
		return reserve(r)
	}
	for _, c := range []struct {
		name, order, customer string
		before, now           []location.Campaign
		amend, want           string
	}{
		{"up to the limit", "1:TEE:2", "ann", []location.Campaign{tees}, []location.Campaign{tees}, "1:4", "a:4"},
		{"above the limit", "1:TEE:2", "ann", []location.Campaign{tees}, []location.Campaign{tees}, "1:5", "purchase_limit | tees 4 of 6"},
		{"a new line", "1:TEE:2", "ann", []location.Campaign{tees}, []location.Campaign{tees}, "2:3:TEE", "purchase_limit | tees 4 of 6"},
		{"from one line to another", "1:TEE:3 2:TEE:1", "ann", []location.Campaign{tees}, []location.Campaign{tees}, "1:1 2:3", "a:1, a:3"},
		{"a limit that came since counts the whole line", "1:TEE:5", "ann", nil, []location.Campaign{tees}, "1:7", "purchase_limit | tees 0 of 6"},
		{"a limit that came since, fewer", "1:TEE:9", "ann", nil, []location.Campaign{tees}, "1:8", "a:8"},
		{"a limit that is gone", "1:TEE:4", "ann", []location.Campaign{tees}, nil, "1:9", "a:9"},
		{"a limit that was raised", "1:TEE:4", "ann", []location.Campaign{tees}, []location.Campaign{{ID: "tees", SKUs: tees.SKUs, PerCustomer: units(8)}}, "1:6", "a:6"},
		{"kits", "1:GIFT:1", "ann", []location.Campaign{gifts}, []location.Campaign{gifts}, "1:3", "purchase_limit | gifts 1 of 2"},
		{"no customer", "1:TEE:2", "", nil, []location.Campaign{tees}, "1:3",
			"invalid_request | /lines need a reservation with a customer: is required, or identities: TEE has a purchase limit"},
	} {
		o := operation{
			name: c.name, stock: "TEE@a=30 CAP@a=9",
			given: calls(direct(campaigns(c.before...)), buy("ord", c.customer, c.order), buy("other", "ann", "1:TEE:2"), direct(campaigns(c.now...))),
			when:  amended(c.amend), answer: c.want,
		}
		if c.before == nil {
			o.given = calls(direct(gift("")), buy("ord", c.customer, c.order), direct(campaigns(c.now...)))
		}
		o.runAnswer(t)
	}
}

// TestAmend_Campaign checks the times and the total of a campaign.
func TestAmend_Campaign(t *testing.T) {
	for _, o := range []operation{
		{name: "before it starts", when: amended("1:2"), answer: "not_on_sale | drop starts in 1s"},
		{name: "fewer before it starts", when: amended("1:1 2:1"), answer: "a:1, a:1"},
		{name: "another line before it starts", when: amended("2:3"), answer: "a:1, a:3"},
		{name: "on sale", given: calls(ms(1000)), when: amended("1:2"), answer: "a:2, a:1"},
		{name: "on sale, too many for one", given: calls(ms(1000)), when: amended("1:3"), answer: "purchase_limit | drop 0 of 2"},
		{name: "after its end", given: calls(ms(5000)), when: amended("1:2"), answer: "not_on_sale | drop starts in 0s"},
	} {
		buy := order("ord", "1:TEE:1 2:CAP:1")
		buy.Customer = "ann"
		o.stock, o.given = "TEE@a=9 CAP@a=9", append(calls(direct(campaigns()), reserve(buy), direct(campaigns(drop5()))), o.given...)
		o.runAnswer(t)
	}
}

// TestAmend_Parts checks that a reservation gets no more parts than PartsMax.
func TestAmend_Parts(t *testing.T) {
	stock := ""
	for i := range 251 {
		stock += fmt.Sprintf("A@l%d=1 B@l%d=1 ", i, i)
	}
	for _, o := range []operation{
		{name: "too many", given: calls(reserve(split(order("ord", "1:A:251"), "units"))), when: func(b *bench) string {
			return told(b.store.Amend(b.ctx, AmendRequest{ID: "ord", Operation: "chg", Split: "units", Lines: amendments("2:250:B")}))
		}, answer: "invalid_request | /lines would need more than 500 parts, one for each SKU at each location that serves it, " +
			"and for each limit of a campaign that counts it: send fewer lines, or fewer units"},
	} {
		o.stock = stock
		o.run(t)
	}
}
