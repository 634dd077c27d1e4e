package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// TestSplit runs splitTable. Its rows are short texts: stock is "SKU location units", a line "SKU units". The
// wanted result of a line is "location units + location units", or "short available" if it is refused.
func TestSplit(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		for i, c := range splitTable {
			t.Run(c.split+": "+c.name, func(t *testing.T) {
				prefix := fmt.Sprintf("r%d-", i)
				for _, entry := range strings.Split(c.stock, ", ") {
					var sku, at string
					var units int
					if _, err := fmt.Sscan(entry, &sku, &at, &units); err != nil {
						t.Fatal(err)
					}
					p.do(t, "given", level(prefix+sku, at, units))
				}
				p.do(t, "when", c.step(t, prefix))
			})
		}
	})
}

type split struct {
	name, split, stock, lines string
	want                      []string // one for each line
}

func (c split) step(t *testing.T, prefix string) step {
	t.Helper()
	var asked, taken, short []string
	for i, entry := range strings.Split(c.lines, ", ") {
		var sku string
		var units int
		if _, err := fmt.Sscan(entry, &sku, &units); err != nil {
			t.Fatal(err)
		}
		asked = append(asked, fmt.Sprintf(`{"line": "%d", "sku": "%s", "quantity": %d}`, i+1, prefix+sku, units))
		if available, isShort := strings.CutPrefix(c.want[i], "short "); isShort {
			short = append(short, fmt.Sprintf(`{"line": "%d", "sku": "%s", "requested": %d, "available": %s}`, i+1, prefix+sku, units, available))
			continue
		}
		var from []string
		for _, part := range strings.Split(c.want[i], " + ") {
			at, n, _ := strings.Cut(part, " ")
			from = append(from, `{"location": "`+at+`", "quantity": `+n+`}`)
		}
		taken = append(taken, fmt.Sprintf(`{"line": "%d", "sku": "%s", "quantity": %d, "requested": %[3]d, "fulfilled": 0, "returned": 0, "from": [%s]}`,
			i+1, prefix+sku, units, strings.Join(from, ",")))
	}
	way := `"split": "` + c.split + `",`
	if c.split == "" {
		way = ""
	}
	id := prefix + "o"
	s := reserve(`{"id": "` + id + `", ` + way + `"lines": [` + strings.Join(asked, ",") + `]}`)
	if len(short) > 0 {
		return s.refused(409, "insufficient_stock", `"shortages": [`+strings.Join(short, ",")+`]`)
	}
	return s.is(201, reservation(id, "held", 1, strings.Join(taken, ","), ""))
}

// fits stands for a line that is not short, in a refusal.
const fits = "berlin 0"

// Without a directory, locations are tried in the order of their ids.
var splitTable = []split{
	{"the first that can serve all", "never", "A berlin 5, A lyon 5", "A 2", []string{"berlin 2"}},
	{"not the first, if it can't", "never", "A berlin 1, A lyon 5", "A 2", []string{"lyon 2"}},
	{"all lines from one", "never", "A berlin 5, B berlin 1, A lyon 5, B lyon 5", "A 2, B 2", []string{"lyon 2", "lyon 2"}},
	{"lines of one SKU count together", "never", "A berlin 3, A lyon 4", "A 2, A 2", []string{"lyon 2", "lyon 2"}},
	{"no two together", "never", "A berlin 5, B lyon 5", "A 1, B 1", []string{fits, "short 0"}},
	{"short at the location nearest to serving all", "never", "A berlin 2, B berlin 1, A lyon 1, B lyon 3", "A 3, B 3", []string{"short 1", fits}},
	{"short line of one SKU", "never", "A berlin 2, A lyon 3", "A 4", []string{"short 3"}},

	{"one location for everything comes first", "lines", "A berlin 5, A lyon 5, B lyon 5", "A 1, B 1", []string{"lyon 1", "lyon 1"}},
	{"the first such", "lines", "A lyon 5, B lyon 5, A milan 5, B milan 5, A berlin 5", "A 1, B 1", []string{"lyon 1", "lyon 1"}},
	{"each line whole", "lines", "A berlin 5, B lyon 5", "A 5, B 5", []string{"berlin 5", "lyon 5"}},
	{"the one that serves most lines first", "lines", "A berlin 5, A lyon 5, B lyon 5, C milan 5", "A 1, B 1, C 1", []string{"lyon 1", "lyon 1", "milan 1"}},
	{"ties by routed order", "lines", "A berlin 5, C berlin 5, A lyon 5, B lyon 5", "A 1, B 1, C 1", []string{"berlin 1", "lyon 1", "berlin 1"}},
	{"and again for what remains", "lines", "A berlin 1, B berlin 1, C berlin 1, D lyon 1, E milan 1, D milan 1", "A 1, B 1, C 1, D 1, E 1",
		[]string{"berlin 1", "berlin 1", "berlin 1", "milan 1", "milan 1"}},
	{"lines of one SKU are checked against what earlier lines left", "lines", "A berlin 3, A lyon 2", "A 2, A 2", []string{"berlin 2", "lyon 2"}},
	{"no line is split: short of the largest", "lines", "A berlin 2, A lyon 3", "A 4", []string{"short 3"}},
	{"short of one line only", "lines", "A berlin 2, A lyon 3, B milan 1", "A 4, B 1", []string{"short 3", fits}},
	{"short of the largest that is left", "lines", "A berlin 3", "A 2, A 2", []string{fits, "short 1"}},
	{"is what is meant where none is named", "", "A berlin 2, A lyon 3", "A 4", []string{"short 3"}},

	{"one location for everything comes first", "units", "A berlin 2, A lyon 3, A milan 5", "A 5", []string{"milan 5"}},
	{"a line from two", "units", "A berlin 2, A lyon 3", "A 5", []string{"berlin 2 + lyon 3"}},
	{"in routed order", "units", "A berlin 4, A lyon 4, A milan 4", "A 5", []string{"berlin 4 + lyon 1"}},
	{"two rather than three where two suffice", "units", "A berlin 1, A lyon 3, A milan 4", "A 7", []string{"lyon 3 + milan 4"}},
	{"the first two that suffice", "units", "A berlin 2, A lyon 3, A milan 5", "A 7", []string{"berlin 2 + milan 5"}},
	{"three where it takes three", "units", "A berlin 2, A lyon 3, A milan 5", "A 9", []string{"berlin 2 + lyon 3 + milan 4"}},
	{"whole lines first", "units", "A berlin 2, A lyon 2, B lyon 1, C milan 1", "A 3, B 1, C 1", []string{"berlin 2 + lyon 1", "lyon 1", "milan 1"}},
	{"lines of one SKU share what there is", "units", "A berlin 3, A lyon 3", "A 4, A 2", []string{"berlin 1 + lyon 3", "berlin 2"}},
	{"short of the sum", "units", "A berlin 2, A lyon 3", "A 6", []string{"short 5"}},
	{"short of the sum that is left", "units", "A berlin 3, A lyon 3", "A 4, A 4", []string{fits, "short 2"}},
}

// A location below zero does not lower the sum of the others, and no answer shows a negative number.
func TestShortageBesideALocationBelowZero(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		for _, way := range []string{"never", "lines", "units"} {
			sku, other := "A-"+way, "B-"+way
			p.do(t, "given", put("/v1/stock/"+sku+"/berlin", `{"id": "`+sku+`", "on_hand": 1, "safety_stock": 4}`).is(201, ""))
			p.do(t, "given", level(sku, "lyon", 2))
			p.do(t, "when", hold(sku, sku, 3).splitting(way).
				refused(409, "insufficient_stock", `"shortages": [{"line": "1", "sku": "`+sku+`", "requested": 3, "available": 2}]`))

			p.do(t, "given", put("/v1/stock/"+other+"/berlin", `{"id": "`+other+`", "on_hand": 1, "safety_stock": 4}`).is(201, ""))
			p.do(t, "when", reserve(fmt.Sprintf(`{"id": "%s", "lines": [{"line": "1", "sku": "%s", "quantity": 1}, {"line": "2", "sku": "%[2]s", "quantity": 1}]}`, other, other)).
				splitting(way).refused(409, "insufficient_stock", fmt.Sprintf(`"shortages": [{"line": "1", "sku": "%s", "requested": 1, "available": 0},
					{"line": "2", "sku": "%[1]s", "requested": 1, "available": 0}]`, other)))
		}
	})
}

// splitting returns a reserve with the field split.
func (s step) splitting(way string) step {
	s.body = `{"split": "` + way + `",` + s.body[1:]
	return s
}
