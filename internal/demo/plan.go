package demo

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// choice is what a buyer does with the units it was given.
type choice int

const (
	confirms choice = iota // pays in time
	late                   // pays after the deadline
	abandons               // is never heard of again
	releases               // gives the units back
)

// plan is what one buyer will do. It is drawn from the seed; who wins the race is not.
type plan struct {
	request  cache.ReserveRequest
	copies   int           // how often each call is sent, all at once, with the same id
	tries    int           // until it gives up
	pause    time.Duration // between tries
	choice   choice
	think    time.Duration // between the hold and the choice
	collects bool          // what it bought leaves at once
}

// The chances of a buyer, in percent.
const (
	wantsOnlyHot  = 65
	wantsHotToo   = 25 // the others want only the rest
	pickiness     = 20 // wants all from one location, drawn by lot
	splitsUnits   = 20 // takes the units of one line from several locations
	splitsNever   = 10 // takes all or nothing from any one location
	givesUpAtOnce = 50
	sendsTwice    = 14
	sendsThrice   = 6
	abandonment   = 18
	release       = 12
	lateness      = 10
	collection    = 25
)

const (
	quantityMax = 3 // units of one line
	triesMax    = 8
)

// drawPlan is the plan of the buyer with this number: the same for the same seed.
func drawPlan(seed uint64, number int) plan {
	r := rand.New(rand.NewPCG(seed, uint64(number)))
	p := plan{request: cache.ReserveRequest{
		ID: fmt.Sprintf("buyer-%06d", number), Lines: drawLines(r), TTL: ttl, Split: drawSplit(r),
	}}
	if percent(r, pickiness) {
		pin := places[r.IntN(len(places))].id
		for i := range p.request.Lines {
			p.request.Lines[i].Location = pin
		}
	}
	p.copies, p.tries = drawPatience(r)
	p.pause = between(r, 200*time.Millisecond, 700*time.Millisecond)
	p.choice = drawChoice(r)
	p.think = between(r, 10*time.Millisecond, 600*time.Millisecond)
	if p.choice == late {
		p.think = ttl + between(r, 20*time.Millisecond, 500*time.Millisecond)
	}
	p.collects = percent(r, collection)
	return p
}

func drawLines(r *rand.Rand) []cache.LineRequest {
	var skus []location.SKU
	side := func(n int) {
		for _, i := range r.Perm(len(sideSKUs))[:n] {
			skus = append(skus, sideSKUs[i])
		}
	}
	switch n := r.IntN(100); {
	case n < wantsOnlyHot:
		skus = []location.SKU{hotSKU}
	case n < wantsOnlyHot+wantsHotToo:
		skus = []location.SKU{hotSKU}
		side(1 + r.IntN(2))
	default:
		side(2)
	}
	lines := make([]cache.LineRequest, len(skus))
	for i, sku := range skus {
		lines[i] = cache.LineRequest{Line: strconv.Itoa(i + 1), SKU: sku, Quantity: 1 + r.Int64N(quantityMax)}
	}
	return lines
}

func drawSplit(r *rand.Rand) location.Split {
	switch n := r.IntN(100); {
	case n < splitsUnits:
		return location.SplitUnits
	case n < splitsUnits+splitsNever:
		return location.SplitNever
	default:
		return "" // each line whole
	}
}

func drawPatience(r *rand.Rand) (copies, tries int) {
	copies, tries = 1, 1
	switch n := r.IntN(100); {
	case n < sendsThrice:
		copies = 3
	case n < sendsThrice+sendsTwice:
		copies = 2
	}
	if !percent(r, givesUpAtOnce) {
		tries = 2 + r.IntN(triesMax-1)
	}
	return copies, tries
}

func drawChoice(r *rand.Rand) choice {
	switch n := r.IntN(100); {
	case n < abandonment:
		return abandons
	case n < abandonment+release:
		return releases
	case n < abandonment+release+lateness:
		return late
	default:
		return confirms
	}
}

func percent(r *rand.Rand, n int) bool { return r.IntN(100) < n }

func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}
