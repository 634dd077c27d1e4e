package bench

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// column is a column of the table of a comparison.
type column struct {
	head   string
	cell   func(*Row) string
	always bool // also where every cell is "0"
}

// columns of a comparison; what is nowhere more than 0 is left out, but for the first ones.
var columns = []column{
	{head: "", cell: func(r *Row) string { return r.Name }, always: true},
	{head: "due/s", cell: func(r *Row) string { return whole(r.Rate) }},
	{head: "accepted/s", cell: func(r *Row) string { return whole(r.Accepted.Median) }, always: true},
	{head: "min-max", cell: func(r *Row) string { return minMax(r.Accepted) }, always: true},
	{head: "refused/s", cell: func(r *Row) string { return whole(r.Refused.Median) }, always: true},
	{head: "min-max", cell: func(r *Row) string { return minMax(r.Refused) }},
	{head: "replayed/s", cell: func(r *Row) string { return whole(r.Replayed.Median) }},
	{head: "taken again", cell: func(r *Row) string { return whole(float64(r.total(func(n *Round) int64 { return n.Again }))) }},
	{head: "failed", cell: func(r *Row) string { return whole(float64(r.total(func(n *Round) int64 { return n.Failed }))) }},
	{head: "unsent", cell: func(r *Row) string { return whole(float64(r.total(func(n *Round) int64 { return n.Unsent }))) }},
	{head: "p50 ms", cell: func(r *Row) string { return digits(r.P50.Median) }, always: true},
	{head: "p99 ms", cell: func(r *Row) string { return digits(r.P99.Median) }, always: true},
	{head: "p99.9 ms", cell: func(r *Row) string { return digits(r.P999.Median) }, always: true},
	{head: "max ms", cell: func(r *Row) string { return digits(r.Max.Median) }, always: true},
	{head: "Redis µs", cell: func(r *Row) string { return dash(digits(r.RedisCPU.Median)) }, always: true},
	{head: "process µs", cell: func(r *Row) string { return digits(r.ProcessCPU.Median) }, always: true},
	{head: "bytes/hold", cell: func(r *Row) string { return dash(whole(r.HoldBytes.Median)) }},
	{head: "survives a crash", cell: func(r *Row) string { return r.Keeps }, always: true},
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) {
	fmt.Fprintf(w, "%d rounds of %s s each in turns, medians; %d callers, %s; seed %d\n",
		r.Rounds, digits(r.Seconds), r.Callers, r.pace(), r.Seed)
	fmt.Fprintf(w, "Holdfast %s%s, Redis %s, PostgreSQL %s, %d CPUs\n", r.Version, r.Remembers(), r.Servers.Redis, r.Servers.Postgres, r.CPUs)
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		fmt.Fprintf(w, "\n%s: %s (latencies of what is %s)\n", c.Scenario, c.Title, c.About)
		writeColumns(w, c.cells())
		for _, remark := range slices.Concat(c.ratioLines(), c.stepLines(), c.remarks()) {
			fmt.Fprintln(w, remark)
		}
	}
	fmt.Fprint(w, legend)
}

const legend = `
Redis µs, process µs: processor time for each answer, of Redis's main thread and of this process. The callers
are in this process, and over HTTP the server is too. bytes/hold: memory of Redis for each held reservation.
`

// Remembers says for how long refusals are remembered, where they are.
func (r *Report) Remembers() string {
	if r.SoldOut == 0 {
		return ""
	}
	return " with sold_out_cache " + digits(r.SoldOut) + " ms"
}

// pace says how calls are sent.
func (r *Report) pace() string {
	var rate float64
	for i := range r.Comparisons {
		for _, row := range r.Comparisons[i].Rows {
			rate = row.Rate
		}
	}
	switch {
	case r.Load > 0:
		return fmt.Sprintf("calls due at %s %% of what each answers at most, latency from when a call is due", digits(r.Load))
	case rate > 0:
		return whole(rate) + " calls due a second, latency from when a call is due"
	}
	return "each calls again once it is answered, latency from when a call is sent"
}

// cells are the head and the rows of a comparison's table.
func (c *Comparison) cells() [][]string {
	table := make([][]string, 1+len(c.Rows))
	for i := range columns {
		if !columns[i].always && !c.any(&columns[i]) {
			continue
		}
		table[0] = append(table[0], columns[i].head)
		for j, row := range c.Rows {
			table[j+1] = append(table[j+1], columns[i].cell(row))
		}
	}
	return table
}

// any says whether a column says something in any row.
func (c *Comparison) any(of *column) bool {
	for _, row := range c.Rows {
		if text := of.cell(row); text != "0" && text != "0-0" && text != "-" {
			return true
		}
	}
	return false
}

// remarks are what is wrong in a comparison's rows.
func (c *Comparison) remarks() (list []string) {
	for _, row := range c.Rows {
		if n := row.total(func(n *Round) int64 { return max(n.Missing, -n.Missing) }); n > 0 {
			list = append(list, fmt.Sprintf("! %s: %s units are lost or sold twice", row.Name, whole(float64(n))))
		}
		for _, round := range row.Rounds {
			if round.Failure != "" {
				list = append(list, fmt.Sprintf("! %s: a call failed: %s", row.Name, round.Failure))
				break
			}
		}
	}
	return list
}

// total adds up a count of all rounds.
func (r *Row) total(count func(*Round) int64) (sum int64) {
	for _, n := range r.Rounds {
		sum += count(n)
	}
	return sum
}

// writeColumns puts the first and the last column to the left, the others to the right.
func writeColumns(w io.Writer, table [][]string) {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range table {
		var text strings.Builder
		for i, cell := range row {
			switch i {
			case 0:
				fmt.Fprintf(&text, "%-*s", widths[i], cell)
			case len(row) - 1:
				text.WriteString("  " + cell)
			default:
				fmt.Fprintf(&text, "  %*s", widths[i], cell)
			}
		}
		fmt.Fprintln(w, text.String())
	}
}

// dash stands for what a contender does not have.
func dash(number string) string {
	if number == "0" {
		return "-"
	}
	return number
}

func minMax(s Spread) string { return whole(s.Min) + "-" + whole(s.Max) }

// whole writes a number without a fraction, with a comma after each group of three digits.
func whole(n float64) string {
	text := strconv.FormatFloat(n, 'f', 0, 64)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// digits writes a number with about three digits.
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
