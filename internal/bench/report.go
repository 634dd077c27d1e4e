package bench

import (
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what came of a run.
type Report struct {
	Version     string       `json:"version"` // of Holdfast
	Started     time.Time    `json:"started"`
	Go          string       `json:"go"`
	CPUs        int          `json:"cpus"`
	Servers     trust        `json:"servers"`
	Seed        uint64       `json:"seed"`
	Callers     int          `json:"callers"`
	Rounds      int          `json:"rounds"`
	Seconds     float64      `json:"round_seconds"`
	Load        float64      `json:"load_percent"`      // of what a contender answers at most; 0 where a rate does not depend on that
	SoldOut     float64      `json:"sold_out_cache_ms"` // of Holdfast; 0: every refusal is exact
	Comparisons []Comparison `json:"comparisons"`
}

// Comparison is a scene and its rows.
type Comparison struct {
	Scenario string  `json:"scenario"`
	Title    string  `json:"title"`
	Size     *Size   `json:"size,omitempty"`
	About    string  `json:"latencies_of"` // accepted, refused or replayed: whose latencies these are
	Rows     []*Row  `json:"rows"`
	Ratios   []Ratio `json:"ratios"`
}

// Row is one contender in one scene.
type Row struct {
	Contender string `json:"contender"`
	Name      string `json:"name"`
	Keeps     string `json:"survives_a_crash"` // when it has answered

	Rate float64 `json:"due_per_second"` // calls; 0: a caller calls again once it is answered

	Accepted   Spread `json:"accepted_per_second"`
	Refused    Spread `json:"refused_per_second"`
	Replayed   Spread `json:"replayed_per_second"`
	P50        Spread `json:"p50_ms"`
	P99        Spread `json:"p99_ms"`
	P999       Spread `json:"p999_ms"`
	Max        Spread `json:"max_ms"`
	RedisCPU   Spread `json:"redis_cpu_us"`
	ProcessCPU Spread `json:"process_cpu_us"`
	HoldBytes  Spread `json:"hold_bytes"`

	Rounds []*Round `json:"rounds"`

	latency *hdrhistogram.Histogram // of all rounds
}

func newReport(r *rig) *Report {
	o := &r.options
	return &Report{
		Version: o.Version, Started: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(), Servers: r.trust,
		Seed: o.Seed, Callers: o.Callers, Rounds: o.Rounds, Seconds: o.Duration.Seconds(), Load: o.Load,
		SoldOut: float64(o.SoldOut) / float64(time.Millisecond),
	}
}

// sumUp works out the figures over all rounds.
func (r *Row) sumUp() {
	of := func(figure func(*Round) float64) Spread { return spread(r.Rounds, figure) }
	r.Accepted = of(func(n *Round) float64 { return n.AcceptedRate })
	r.Refused = of(func(n *Round) float64 { return n.RefusedRate })
	r.Replayed = of(func(n *Round) float64 { return n.ReplayedRate })
	r.P50 = of(func(n *Round) float64 { return n.P50 })
	r.P99 = of(func(n *Round) float64 { return n.P99 })
	r.P999 = of(func(n *Round) float64 { return n.P999 })
	r.Max = of(func(n *Round) float64 { return n.Max })
	r.RedisCPU = of(func(n *Round) float64 { return n.RedisCPU })
	r.ProcessCPU = of(func(n *Round) float64 { return n.ProcessCPU })
	r.HoldBytes = of(func(n *Round) float64 { return n.HoldBytes })
	for _, n := range r.Rounds {
		r.latency = merge(r.latency, n.latency)
	}
}

// of finds a contender's row; nil where it has none.
func (c *Comparison) of(contender string) *Row {
	i := slices.IndexFunc(c.Rows, func(r *Row) bool { return r.Contender == contender })
	if i < 0 {
		return nil
	}
	return c.Rows[i]
}

// Err is nil where all units are accounted for.
func (r *Report) Err() error {
	for i := range r.Comparisons {
		for _, row := range r.Comparisons[i].Rows {
			if row.total(func(n *Round) int64 { return max(n.Missing, -n.Missing) }) > 0 {
				return &MissingError{Scenario: r.Comparisons[i].Scenario, Contender: row.Name}
			}
		}
	}
	return nil
}

// MissingError says that a contender lost units, or sold some twice.
type MissingError struct{ Scenario, Contender string }

func (e *MissingError) Error() string {
	return e.Scenario + ": " + e.Contender + ": units were lost or sold twice: see above"
}
