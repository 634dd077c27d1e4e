package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/holdfast/holdfast/location"
)

// Report is the result of a sale.
type Report struct {
	OK         bool        `json:"ok"` // there are no findings
	Seed       uint64      `json:"seed"`
	Engine     string      `json:"engine"` // embedded, or the URL of Redis
	Buyers     int         `json:"buyers"`
	Winners    int         `json:"winners"` // buyers that got units, at least for a while
	Locations  int         `json:"locations"`
	Seconds    float64     `json:"duration_seconds"` // from the first request to the last answer
	Rate       float64     `json:"requests_per_second"`
	LateSold   int64       `json:"late_sold"`   // reservations confirmed after their deadline
	LateMissed int64       `json:"late_missed"` // confirmed too late: others had the units
	SKUs       []SKUReport `json:"skus"`
	Total      SKUReport   `json:"total"`
	Checks     []string    `json:"checks"` // that ran
	Findings   []Finding   `json:"findings"`
}

// SKUReport is the result for one SKU, or for all. A request for several SKUs counts for each of
// them, and once in the total.
type SKUReport struct {
	SKU location.SKU `json:"sku,omitempty"` // "" is the total
	Totals
	Requests int64 `json:"requests,omitempty"` // answered; only in the total
	Refused  int64 `json:"refused"`            // requests refused because this SKU was short
	Replays  int64 `json:"replays"`            // answers to repeated requests, which changed nothing
}

func (s *sale) report(records *Records, f *FinalState, took time.Duration) *Report {
	r := &Report{
		Seed: s.Seed, Buyers: s.Buyers, Winners: len(records.Orders), Locations: len(locations),
		Seconds: took.Seconds(), Rate: float64(s.tally.requests.Load()) / took.Seconds(),
		LateSold: s.tally.lateSold.Load(), LateMissed: s.tally.lateMissed.Load(),
		Checks: Checks, Findings: append([]Finding{}, Check(records, f)...),
	}
	r.OK = len(r.Findings) == 0
	for _, sku := range allSKUs {
		r.SKUs = append(r.SKUs, SKUReport{
			SKU: sku, Refused: s.tally.refused.of(sku), Replays: s.tally.replays.of(sku),
			Totals: records.totals(f, func(other location.SKU) bool { return other == sku }),
		})
	}
	r.Total = SKUReport{
		Refused: s.tally.refused.all.Load(), Replays: s.tally.replays.all.Load(),
		Requests: s.tally.requests.Load(),
		Totals:   records.totals(f, func(location.SKU) bool { return true }),
	}
	return r
}

// FailedError reports that a check has found errors.
type FailedError struct{ Findings []Finding }

// Error names each check that failed, with its first finding.
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

// Err returns a *FailedError if there are findings.
func (r *Report) Err() error {
	if r.OK {
		return nil
	}
	return &FailedError{r.Findings}
}
