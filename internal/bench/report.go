package bench

import (
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is the result of a run.
type Report struct {
	Version     string       `json:"version"` // of Holdfast
	Started     time.Time    `json:"started"`
	Go          string       `json:"go"`
	CPUs        int          `json:"cpus"`
	Servers     servers      `json:"servers"`
	Seed        uint64       `json:"seed"`
	Callers     int          `json:"callers"`
	Rounds      int          `json:"rounds"`
	Seconds     float64      `json:"round_seconds"`
	Load        float64      `json:"load_percent"`      // of the rate a contender reaches without a limit; 0: not used
	SoldOut     float64      `json:"sold_out_cache_ms"` // of Holdfast; 0: every refusal is exact
	Comparisons []Comparison `json:"comparisons"`
}

// Comparison is a workload with a row for each contender.
type Comparison struct {
	Scenario    string  `json:"scenario"`
	Title       string  `json:"title"`
	Size        *Size   `json:"size,omitempty"`
	LatenciesOf string  `json:"latencies_of"` // accepted, refused or replayed
	Rows        []*Row  `json:"rows"`
	Ratios      []Ratio `json:"ratios"`
}

// Row is one contender in one workload.
type Row struct {
	Contender string `json:"contender"`
	Name      string `json:"name"`
	Survives  string `json:"survives_a_crash"` // of an acknowledged call

	Rate float64 `json:"due_per_second"` // calls; 0: a caller calls again when it has its answer

	Figures[Spread]

	Rounds []*Round `json:"rounds"`

	latency *hdrhistogram.Histogram // of all rounds
}

// Spread is one figure over all rounds.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func newReport(e *env) *Report {
	o := &e.options
	return &Report{
		Version: o.Version, Started: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(), Servers: e.servers,
		Seed: o.Seed, Callers: o.Callers, Rounds: o.Rounds, Seconds: o.Duration.Seconds(), Load: o.Load, SoldOut: millis(o.SoldOut),
	}
}

// summarize computes the figures over all rounds.
func (r *Row) summarize() {
	for i, to := range r.all() {
		*to = spread(r.Rounds, func(n *Round) float64 { return *n.all()[i] })
	}
	for _, n := range r.Rounds {
		r.latency = merge(r.latency, n.latency)
	}
}

// spread returns the spread of one figure over rounds.
func spread(rounds []*Round, figure func(*Round) float64) Spread {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = figure(r)
	}
	return spreadOf(values)
}

// spreadOf sorts values. The median of an even number of values is the mean of the middle two.
func spreadOf(values []float64) Spread {
	n := len(values)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(values)
	return Spread{Median: (values[(n-1)/2] + values[n/2]) / 2, Min: values[0], Max: values[n-1]}
}

// percentile returns a percentile in ms, or 0 if there are no values.
func percentile(h *hdrhistogram.Histogram, p float64) float64 {
	if h == nil {
		return 0
	}
	return float64(h.ValueAtQuantile(p)) / 1000
}

// row returns the row of a contender, or nil if it has none.
func (c *Comparison) row(contender string) *Row {
	i := slices.IndexFunc(c.Rows, func(r *Row) bool { return r.Contender == contender })
	if i < 0 {
		return nil
	}
	return c.Rows[i]
}

// total adds up a count over all rounds.
func (r *Row) total(count func(*Round) int64) (sum int64) {
	for _, n := range r.Rounds {
		sum += count(n)
	}
	return sum
}

// missing returns the units that were lost or sold twice in all rounds.
func (r *Row) missing() int64 {
	return r.total(func(n *Round) int64 { return max(n.Missing, -n.Missing) })
}

// Err returns a *MissingError if a contender lost units or sold some twice.
func (r *Report) Err() error {
	for i := range r.Comparisons {
		for _, row := range r.Comparisons[i].Rows {
			if row.missing() > 0 {
				return &MissingError{Scenario: r.Comparisons[i].Scenario, Contender: row.Name}
			}
		}
	}
	return nil
}

// MissingError reports that a contender lost units or sold some twice.
type MissingError struct{ Scenario, Contender string }

func (e *MissingError) Error() string {
	return e.Scenario + ": " + e.Contender + ": units were lost or sold twice: see the report above"
}
