package cache

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/internal/wire"
)

// describe changes whom a reservation is for, then repeats the call.
func (p *play) describe(t *rapid.T) {
	id, r := p.pick(t)
	request := drawDescribe(t, id)
	if rapid.Bool().Draw(t, "with a version") {
		request.Version, _ = p.version(t, r)
	}
	changed, order := r.described(&request)
	unchanged := order == r.order && changed.customer == r.buyer.customer && slices.Equal(changed.identities, r.buyer.identities)
	result, err := p.store.Describe(p.ctx, request)
	if r.unswept && p.reclaimed(t, id) { // before the call took effect
		r.unswept = false
		r.version++
	}
	var want error
	switch over := p.model.exceededBy(r, changed); {
	case unchanged && request.Version <= r.version: // nothing changes
	case request.Version != 0 && request.Version != r.version:
		want = ErrVersionConflict
	case len(changed.names()) == 0 && slices.ContainsFunc(r.lines, func(l modelLine) bool { return l.limited() }):
		want = ErrInvalid
	case len(over) > 0:
		want = oneOf(over, err)
	}
	if same(t, "describe", err, want); err != nil {
		return
	}
	if !unchanged {
		r.buyer, r.order = changed, order
		r.version++
	}
	p.checkDescribed(t, r, result, unchanged)
	again, err := p.store.Describe(p.ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	p.checkDescribed(t, r, again, true)
}

// checkDescribed compares the answer to a describe with the model.
func (p *play) checkDescribed(t *rapid.T, r *modelReservation, got Result, replay bool) {
	t.Helper()
	want := Result{Reservation: p.model.seen(r), Replay: replay}
	if got, want := toldBuyer(got, nil), toldBuyer(want, nil); got != want {
		t.Fatalf("described\n%s\nwant\n%s", got, want)
	}
}

// drawDescribe draws a describe of a reservation. It may change nothing.
func drawDescribe(t *rapid.T, id string) DescribeRequest {
	r := DescribeRequest{ID: id}
	some := rapid.SampledFrom([]string{"-", "-", "ann", "bob", "card", ""})
	if customer := some.Draw(t, "customer"); customer != "-" {
		r.Customer = &customer
	}
	if order := some.Draw(t, "order"); order != "-" {
		r.Order = &order
	}
	r.Identities = drawIdentities(t)
	if rapid.IntRange(0, 4).Draw(t, "no identities") == 4 {
		r.Identities = []string{}
	}
	return r
}

// described returns the buyer and the order that a describe makes of a reservation's.
func (r *modelReservation) described(request *DescribeRequest) (b modelBuyer, order string) {
	b, order = r.buyer, r.order
	if request.Customer != nil {
		b.customer = *request.Customer
	}
	if request.Order != nil {
		order = *request.Order
	}
	if request.Identities != nil {
		b.identities = request.Identities
	}
	b.keep(r.lines)
	return b, order
}

// exceededBy returns the refusal for each counter that a reservation of another buyer would exceed.
func (m *model) exceededBy(r *modelReservation, b modelBuyer) (over []string) {
	to := *r
	to.buyer = b
	taken, before, after := m.taken(), r.counts(r.state), to.counts(r.state)
	seen := map[wire.LimitKey]bool{}
	for i := range r.lines {
		for key, most := range r.lines[i].most(b) {
			if more := after[key] - before[key]; !seen[key] && more > 0 && taken[key]+more > most {
				over = append(over, toldError(limitError(key, most, taken[key])))
			}
			seen[key] = true
		}
	}
	return over
}

// reclaimed reports whether Redis has expired a reservation.
func (p *play) reclaimed(t *rapid.T, id string) bool {
	text, err := p.client.HGet(p.ctx, p.store.keys.Reservations, id).Result()
	rec, wrong := wire.DecodeRecord(text)
	if err != nil || wrong != nil {
		t.Fatal(err, wrong)
	}
	return rec.State == StateExpired
}

// toldBuyer is told, with whom the reservation is for.
func toldBuyer(r Result, err error) string {
	return fmt.Sprintf("%s | for %q, order %q, %q", told(r, err), r.Customer, r.Order, r.Identities)
}
