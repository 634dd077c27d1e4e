package bench

import (
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Spread is a figure over all rounds.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// spread is that of one figure of rounds.
func spread(rounds []*Round, figure func(*Round) float64) Spread {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = figure(r)
	}
	return spreadOf(values)
}

// spreadOf sorts values. The median of an even number of them is the mean of the middle two.
func spreadOf(values []float64) Spread {
	n := len(values)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(values)
	return Spread{Median: (values[(n-1)/2] + values[n/2]) / 2, Min: values[0], Max: values[n-1]}
}

// percentile is in ms; 0 where there is nothing.
func percentile(h *hdrhistogram.Histogram, p float64) float64 {
	if h == nil {
		return 0
	}
	return float64(h.ValueAtQuantile(p)) / 1000
}
