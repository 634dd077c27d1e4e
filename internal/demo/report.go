package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/holdfast/holdfast/location"
)

// Report is what came of a sale.
type Report struct {
	OK         bool        `json:"ok"` // nothing is off
	Seed       uint64      `json:"seed"`
	Engine     string      `json:"engine"` // embedded, or the URL of the Redis
	Buyers     int         `json:"buyers"`
	Winners    int         `json:"winners"` // buyers that were given units, if only for a while
	Locations  int         `json:"locations"`
	Seconds    float64     `json:"duration_seconds"` // from the first request to the last answer
	Rate       float64     `json:"requests_per_second"`
	LateSold   int64       `json:"late_sold"`   // reservations confirmed after their deadline
	LateMissed int64       `json:"late_missed"` // confirmed too late: the units had gone to others
	SKUs       []SKUReport `json:"skus"`
	Total      SKUReport   `json:"total"`
	Checks     []string    `json:"checks"`   // that were made
	Findings   []Finding   `json:"findings"` // what is off
}

// SKUReport is what came of one SKU, or of all. A request for several SKUs counts for each of them,
// and once in all.
type SKUReport struct {
	SKU location.SKU `json:"sku,omitempty"` // "" is all
	Totals
	Requests int64 `json:"requests,omitempty"` // answered; of all only
	Refused  int64 `json:"refused"`            // requests refused for want of this SKU
	Replays  int64 `json:"replays"`            // answers to repeated requests: nothing was changed
}

func (s *sale) report(b *Books, f *Found, took time.Duration) *Report {
	r := &Report{
		Seed: s.Seed, Buyers: s.Buyers, Winners: len(b.Orders), Locations: len(places),
		Seconds: took.Seconds(), Rate: float64(s.tally.requests.Load()) / took.Seconds(),
		LateSold: s.tally.lateSold.Load(), LateMissed: s.tally.lateMissed.Load(),
		Checks: Checks, Findings: append([]Finding{}, Check(b, f)...),
	}
	r.OK = len(r.Findings) == 0
	for _, sku := range allSKUs {
		r.SKUs = append(r.SKUs, SKUReport{
			SKU: sku, Refused: s.tally.refused.of(sku), Replays: s.tally.replays.of(sku),
			Totals: b.totals(f, func(other location.SKU) bool { return other == sku }),
		})
	}
	r.Total = SKUReport{
		Refused: s.tally.refused.all.Load(), Replays: s.tally.replays.all.Load(),
		Requests: s.tally.requests.Load(),
		Totals:   b.totals(f, func(location.SKU) bool { return true }),
	}
	return r
}

// FailedError says that something is off.
type FailedError struct{ Findings []Finding }

// Error names each check that is off, with its first finding.
func (e *FailedError) Error() string {
	var parts []string
	for _, check := range Checks {
		first, more := "", -1
		for _, f := range e.Findings {
			if f.Check != check {
				continue
			}
			if more++; more == 0 {
				first = f.Detail
			}
		}
		switch {
		case more == 0:
			parts = append(parts, check+": "+first)
		case more > 0:
			parts = append(parts, fmt.Sprintf("%s: %s (and %d more)", check, first, more))
		}
	}
	return strings.Join(parts, "; ")
}

// Err is nil where nothing is off, else a FailedError.
func (r *Report) Err() error {
	if r.OK {
		return nil
	}
	return &FailedError{r.Findings}
}
