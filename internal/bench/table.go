package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/holdfast/holdfast/internal/texttable"
)

// column is a column of the table of a comparison.
type column struct {
	head   string
	cell   func(*Row) string
	always bool // print it even if no row has a value
}

var columns = []column{
	{head: "", cell: func(r *Row) string { return r.Name }, always: true},
	{head: "due/s", cell: func(r *Row) string { return whole(r.Rate) }},
	{head: "accepted/s", cell: func(r *Row) string { return whole(r.AcceptedRate.Median) }, always: true},
	{head: "min-max", cell: func(r *Row) string { return minMax(r.AcceptedRate) }, always: true},
	{head: "refused/s", cell: func(r *Row) string { return whole(r.RefusedRate.Median) }, always: true},
	{head: "min-max", cell: func(r *Row) string { return minMax(r.RefusedRate) }},
	{head: "replayed/s", cell: func(r *Row) string { return whole(r.ReplayedRate.Median) }},
	{head: "taken again", cell: func(r *Row) string { return texttable.Grouped(r.total(func(n *Round) int64 { return n.Again })) }},
	{head: "failed", cell: func(r *Row) string { return texttable.Grouped(r.total(func(n *Round) int64 { return n.Failed })) }},
	{head: "unsent", cell: func(r *Row) string { return texttable.Grouped(r.total(func(n *Round) int64 { return n.Unsent })) }},
	{head: "p50 ms", cell: func(r *Row) string { return digits(r.P50.Median) }, always: true},
	{head: "p99 ms", cell: func(r *Row) string { return digits(r.P99.Median) }, always: true},
	{head: "p99.9 ms", cell: func(r *Row) string { return digits(r.P999.Median) }, always: true},
	{head: "max ms", cell: func(r *Row) string { return digits(r.Max.Median) }, always: true},
	{head: "Redis µs", cell: func(r *Row) string { return dash(digits(r.RedisCPU.Median)) }, always: true},
	{head: "process µs", cell: func(r *Row) string { return digits(r.ProcessCPU.Median) }, always: true},
	{head: "bytes/hold", cell: func(r *Row) string { return dash(whole(r.HoldBytes.Median)) }},
	{head: "survives a crash", cell: func(r *Row) string { return r.Survives }, always: true},
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) {
	fmt.Fprintf(w, "medians of %d rounds of %s s each, in turns; %d callers, %s; seed %d\n",
		r.Rounds, digits(r.Seconds), r.Callers, r.Pace(), r.Seed)
	fmt.Fprintf(w, "Holdfast %s%s, Redis %s, PostgreSQL %s, %d CPUs\n",
		r.Version, r.SoldOutCache(), r.Servers.Redis, r.Servers.Postgres, r.CPUs)
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		fmt.Fprintf(w, "\n%s: %s (latencies of %s calls)\n", c.Scenario, c.Title, c.LatenciesOf)
		cells := c.Cells()
		texttable.Write(w, cells, 0, len(cells[0])-1)
		for _, line := range slices.Concat(c.RatioLines(), c.StepLines(), c.Problems()) {
			fmt.Fprintln(w, line)
		}
	}
	fmt.Fprint(w, legend)
}

const legend = `
Redis µs, process µs: processor time per answer, of Redis's main thread and of this process, which runs the
callers and any HTTP server. bytes/hold: Redis memory per held reservation.
`

// SoldOutCache describes the sold-out cache of Holdfast, if it is on.
func (r *Report) SoldOutCache() string {
	if r.SoldOut == 0 {
		return ""
	}
	return " with sold_out_cache " + digits(r.SoldOut) + " ms"
}

// Pace describes when calls are sent.
func (r *Report) Pace() string {
	var rate float64
	for i := range r.Comparisons {
		for _, row := range r.Comparisons[i].Rows {
			rate = row.Rate
		}
	}
	switch {
	case r.Load > 0:
		return fmt.Sprintf("calls due at %s %% of each contender's highest rate, latency from when a call is due", digits(r.Load))
	case rate > 0:
		return whole(rate) + " calls due per second, latency from when a call is due"
	}
	return "each calls again when it has its answer, latency from when a call is sent"
}

// Cells returns the head and the rows of a comparison's table.
func (c *Comparison) Cells() [][]string {
	table := make([][]string, 1+len(c.Rows))
	for _, column := range columns {
		if !column.always && !slices.ContainsFunc(c.Rows, func(row *Row) bool {
			text := column.cell(row)
			return text != "0" && text != "0-0" && text != "-"
		}) {
			continue
		}
		table[0] = append(table[0], column.head)
		for j, row := range c.Rows {
			table[j+1] = append(table[j+1], column.cell(row))
		}
	}
	return table
}

// Problems describes units that went missing and calls that failed.
func (c *Comparison) Problems() (list []string) {
	for _, row := range c.Rows {
		if n := row.missing(); n > 0 {
			list = append(list, fmt.Sprintf("! %s: %s units were lost or sold twice", row.Name, texttable.Grouped(n)))
		}
		if i := slices.IndexFunc(row.Rounds, func(n *Round) bool { return n.Failure != "" }); i >= 0 {
			list = append(list, fmt.Sprintf("! %s: a call failed: %s", row.Name, row.Rounds[i].Failure))
		}
	}
	return list
}

// dash replaces a number that a contender does not have.
func dash(number string) string {
	if number == "0" {
		return "-"
	}
	return number
}

func minMax(s Spread) string { return whole(s.Min) + "-" + whole(s.Max) }

func whole(n float64) string { return texttable.Grouped(int64(math.RoundToEven(n))) }

// digits formats a number with about three digits.
func digits(n float64) string {
	switch {
	case n == 0:
		return "0"
	case n < 10:
		return strconv.FormatFloat(n, 'f', 2, 64)
	case n < 100:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return whole(n)
}
