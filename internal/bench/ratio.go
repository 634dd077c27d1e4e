package bench

import (
	"slices"
	"strings"
)

// Ratio compares two contenders that it is fair to compare: the figure of one divided by that of the
// other, each time of one round, in which they followed each other.
type Ratio struct {
	Of       string `json:"of"` // contenders
	To       string `json:"to"`
	Rate     Spread `json:"rate"`      // of what the scenario is about: accepted, refused or replayed
	P99      Spread `json:"p99"`       // of the same
	RedisCPU Spread `json:"redis_cpu"` // 0 where one of the two does not use Redis
}

// pairs are what is set beside what: HTTP beside HTTP.
var pairs = [][2]string{
	{keyLibrary, keyTutorial}, {keyLibrary, keyUsual}, {keyLibrary, keyUpdate}, {keyLibrary, keyForUpdate},
	{keyHTTP, keyFloor},
}

// durablePairs are beside them where both have answered what is in Postgres.
var durablePairs = [][2]string{{keyHTTP, keyUpdate}, {keyHTTP, keyForUpdate}}

func (c *Comparison) ratios(s *scene) []Ratio {
	list, beside := []Ratio{}, pairs
	if s.confirms {
		beside = slices.Concat(pairs, durablePairs)
	}
	for _, pair := range beside {
		a, b := c.of(pair[0]), c.of(pair[1])
		if a == nil || b == nil {
			continue
		}
		list = append(list, Ratio{
			Of: pair[0], To: pair[1],
			Rate:     quotient(a, b, func(r *Round) float64 { return r.rate(s.about) }),
			P99:      quotient(a, b, func(r *Round) float64 { return r.P99 }),
			RedisCPU: quotient(a, b, func(r *Round) float64 { return r.RedisCPU }),
		})
	}
	return list
}

// rate is how many calls a second had an outcome.
func (r *Round) rate(o outcome) float64 {
	return [...]float64{r.AcceptedRate, r.RefusedRate, r.ReplayedRate}[o]
}

// answerRate is how many calls a second were answered, whatever with: how busy it was, and no figure of merit.
func (r *Round) answerRate() float64 { return r.AcceptedRate + r.RefusedRate + r.ReplayedRate }

// quotient is the spread over the rounds in which both have the figure.
func quotient(a, b *Row, figure func(*Round) float64) Spread {
	var values []float64
	for i := range min(len(a.Rounds), len(b.Rounds)) {
		if x, y := figure(a.Rounds[i]), figure(b.Rounds[i]); x > 0 && y > 0 {
			values = append(values, x/y)
		}
	}
	return spreadOf(values)
}

// ratioLines are the ratios for people: of rates, of latencies and of costs.
func (c *Comparison) ratioLines() (list []string) {
	var rates, waits, costs []string
	for _, r := range c.Ratios {
		name := r.Of + " / " + r.To
		if !c.rated() && r.Rate.Median > 0 {
			rates = append(rates, name+" "+digits(r.Rate.Median))
		}
		if c.rated() && r.P99.Median > 0 {
			waits = append(waits, name+" "+digits(r.P99.Median))
		}
		if r.RedisCPU.Median > 0 {
			costs = append(costs, name+" "+digits(r.RedisCPU.Median))
		}
	}
	for _, line := range []struct {
		head  string
		parts []string
	}{{c.About + "/s", rates}, {"p99", waits}, {"Redis µs", costs}} {
		if len(line.parts) > 0 {
			list = append(list, line.head+": "+strings.Join(line.parts, ", "))
		}
	}
	return list
}

// rated says whether calls were due at a rate: else latencies are not worth comparing.
func (c *Comparison) rated() bool {
	return slices.ContainsFunc(c.Rows, func(r *Row) bool { return r.Rate > 0 })
}
