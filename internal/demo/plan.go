package demo

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// choice is what a buyer does with its held units.
type choice int

const (
	confirms choice = iota // pays in time
	late                   // pays after the deadline
	abandons               // does nothing more
	releases               // gives the units back
)

// plan is what one buyer does. It depends only on the seed; who gets units also depends on the
// race.
type plan struct {
	request  cache.ReserveRequest
	copies   int           // of each call, sent at the same moment with the same id
	tries    int           // before it gives up
	pause    time.Duration // between tries
	choice   choice
	think    time.Duration // between the hold and the choice
	collects bool          // takes sold units away at once
}

// The probabilities of a buyer's properties, in percent.
const (
	onlyHotPercent     = 65
	hotAndSidePercent  = 25 // the remaining buyers want only sideSKUs
	pinnedPercent      = 20 // wants everything from one random location
	splitUnitsPercent  = 20 // accepts the units of a line from several locations
	splitNeverPercent  = 10 // wants everything from one location, whichever
	oneTryPercent      = 50
	twoCopiesPercent   = 14
	threeCopiesPercent = 6
	abandonsPercent    = 18
	releasesPercent    = 12
	latePercent        = 10
	collectsPercent    = 25
)

const (
	quantityMax = 3 // units of one line
	triesMax    = 8
)

// drawPlan returns the plan of a buyer. The same seed and number give the same plan.
func drawPlan(seed uint64, number int) plan {
	r := rand.New(rand.NewPCG(seed, uint64(number)))
	p := plan{request: cache.ReserveRequest{
		ID: fmt.Sprintf("buyer-%06d", number), Lines: drawLines(r), TTL: ttl, Split: drawSplit(r),
	}}
	if percent(r, pinnedPercent) {
		pin := locations[r.IntN(len(locations))].id
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
	p.collects = percent(r, collectsPercent)
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
	case n < onlyHotPercent:
		skus = []location.SKU{hotSKU}
	case n < onlyHotPercent+hotAndSidePercent:
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
	case n < splitUnitsPercent:
		return location.SplitUnits
	case n < splitUnitsPercent+splitNeverPercent:
		return location.SplitNever
	default:
		return "" // the default: lines
	}
}

func drawPatience(r *rand.Rand) (copies, tries int) {
	copies, tries = 1, 1
	switch n := r.IntN(100); {
	case n < threeCopiesPercent:
		copies = 3
	case n < threeCopiesPercent+twoCopiesPercent:
		copies = 2
	}
	if !percent(r, oneTryPercent) {
		tries = 2 + r.IntN(triesMax-1)
	}
	return copies, tries
}

func drawChoice(r *rand.Rand) choice {
	switch n := r.IntN(100); {
	case n < abandonsPercent:
		return abandons
	case n < abandonsPercent+releasesPercent:
		return releases
	case n < abandonsPercent+releasesPercent+latePercent:
		return late
	default:
		return confirms
	}
}

func percent(r *rand.Rand, n int) bool { return r.IntN(100) < n }

func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}
