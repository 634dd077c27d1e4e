package bench

import (
	"slices"
	"strings"
)

// Ratio compares two contenders: it divides the figures of one by those of the other, round by
// round.
type Ratio struct {
	Of       string `json:"of"` // contenders
	To       string `json:"to"`
	Rate     Spread `json:"rate"`      // of the outcome that the scenario is about
	P99      Spread `json:"p99"`       // of the same outcome
	RedisCPU Spread `json:"redis_cpu"` // 0 unless both use Redis
}

// pairs are the contenders that are fair to compare in every scenario.
var pairs = [][2]string{
	{keyLibrary, keyTutorial}, {keyLibrary, keyUsual}, {keyLibrary, keyUpdate}, {keyLibrary, keyForUpdate},
	{keyHTTP, keyFloor},
}

// durablePairs are also fair to compare if both have committed to Postgres before they answer.
var durablePairs = [][2]string{{keyHTTP, keyUpdate}, {keyHTTP, keyForUpdate}}

func (c *Comparison) ratios(w *workload) []Ratio {
	list, fair := []Ratio{}, pairs
	if w.confirms {
		fair = slices.Concat(pairs, durablePairs)
	}
	for _, pair := range fair {
		a, b := c.row(pair[0]), c.row(pair[1])
		if a == nil || b == nil {
			continue
		}
		list = append(list, Ratio{
			Of: pair[0], To: pair[1],
			Rate:     quotient(a, b, func(r *Round) float64 { return r.rate(w.subject) }),
			P99:      quotient(a, b, func(r *Round) float64 { return r.P99 }),
			RedisCPU: quotient(a, b, func(r *Round) float64 { return r.RedisCPU }),
		})
	}
	return list
}

// rate returns the calls per second with an outcome.
func (r *Round) rate(o outcome) float64 {
	return [...]float64{r.AcceptedRate, r.RefusedRate, r.ReplayedRate}[o]
}

// answerRate returns the answers per second of any kind. It says how busy a contender was, not how
// good.
func (r *Round) answerRate() float64 { return r.AcceptedRate + r.RefusedRate + r.ReplayedRate }

// quotient divides a figure of a by that of b in each round in which both have it.
func quotient(a, b *Row, figure func(*Round) float64) Spread {
	var values []float64
	for i := range min(len(a.Rounds), len(b.Rounds)) {
		if x, y := figure(a.Rounds[i]), figure(b.Rounds[i]); x > 0 && y > 0 {
			values = append(values, x/y)
		}
	}
	return spreadOf(values)
}

// RatioLines describe the ratios: of rates without a rate, else of latencies, and of processor
// time.
func (c *Comparison) RatioLines() (list []string) {
	// Without a rate, latencies are not worth comparing.
	rated := slices.ContainsFunc(c.Rows, func(r *Row) bool { return r.Rate > 0 })
	line := func(head string, figure func(Ratio) Spread) {
		var parts []string
		for _, r := range c.Ratios {
			if median := figure(r).Median; median > 0 {
				parts = append(parts, r.Of+" / "+r.To+" "+digits(median))
			}
		}
		if len(parts) > 0 {
			list = append(list, head+": "+strings.Join(parts, ", "))
		}
	}
	if rated {
		line("p99", func(r Ratio) Spread { return r.P99 })
	} else {
		line(c.LatenciesOf+"/s", func(r Ratio) Spread { return r.Rate })
	}
	line("Redis µs", func(r Ratio) Spread { return r.RedisCPU })
	return list
}
