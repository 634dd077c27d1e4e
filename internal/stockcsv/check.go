package stockcsv

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
)

// Summary describes a file without faults, or whose rows with faults are skipped.
type Summary struct {
	Rows      int    // levels to import
	SHA256    string // of the file, hexadecimal
	Skipped   int    // rows with faults, with Options.SkipBad
	Warnings  FaultsError
	Locations []Fault // the first row of each location; the message is the location

	bad map[int]bool // the levels that are skipped, by number from 0
}

// Bad reports whether the level that Read returns as number i, from 0, has a fault.
func (s *Summary) Bad(i int) bool { return s.bad[i] }

// Check reads a whole file. If the file has faults, the error is a *FaultsError. A level may be in
// it only once. Check needs about 100 bytes of memory per row.
func Check(name string, file io.Reader, options Options) (Summary, error) {
	reader, err := NewReader(name, file, options)
	if err != nil {
		return Summary{}, err
	}
	c := check{Reader: reader, seen: newLevels(), out: Summary{bad: map[int]bool{}}}
	for i := 0; ; i++ {
		row, found, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Summary{}, err
		}
		if i >= RowsMax {
			c.faults.add(reader.fault(row.Line, 1, "", fmt.Sprintf("the file has more than %d rows: split it", RowsMax)))
			break
		}
		if err := c.row(i, row, found); err != nil {
			return Summary{}, err
		}
	}
	return c.summary()
}

// check is a check under way.
type check struct {
	*Reader
	seen   *levels
	faults FaultsError
	out    Summary
}

// row checks level i against the rows before it.
func (c *check) row(i int, row Row, found []Fault) error {
	fatal := c.done && len(found) > 0
	if len(found) == 0 {
		found = c.compare(row)
	}
	if len(found) == 0 {
		warnings := c.warnings(row)
		if !c.options.Strict {
			c.out.Warnings.add(warnings...)
			warnings = nil
		}
		found = warnings
	}
	switch {
	case len(found) == 0:
		c.out.Rows++
		return nil
	case fatal || !c.options.SkipBad:
		c.faults.add(found...)
		return nil
	}
	c.out.Skipped++
	c.out.bad[i] = true
	if c.options.Report == nil {
		return nil
	}
	for _, f := range found {
		if err := c.options.Report(f); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) summary() (Summary, error) {
	if len(c.faults.Faults) == 0 && c.out.Rows == 0 {
		message := "has a header but no rows"
		if c.out.Skipped > 0 {
			message = fmt.Sprintf("all %d rows have faults", c.out.Skipped)
		}
		c.faults.add(c.fault(1, 1, "", message))
	}
	if len(c.faults.Faults) > 0 {
		return Summary{}, &c.faults
	}
	c.out.SHA256 = c.Sum()
	for _, first := range c.seen.locations {
		c.out.Locations = append(c.out.Locations, first)
	}
	slices.SortFunc(c.out.Locations, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return c.out, nil
}

// compare returns what is wrong with a row, given the rows before it.
func (c *check) compare(row Row) []Fault {
	if !c.seen.addLocation(row.Location, c.fault(row.Line, row.locationAt, columnLocation, row.Location)) {
		return []Fault{c.fault(row.Line, row.locationAt, columnLocation,
			fmt.Sprintf("%s is one location too many: at most %d are allowed", quoted(row.Location), LocationsMax))}
	}
	if first := c.seen.add(row); first != 0 {
		return []Fault{c.fault(row.Line, row.skuAt, columnSKU,
			fmt.Sprintf("%s at %s is already on line %d", quoted(row.SKU), quoted(row.Location), first))}
	}
	return nil
}

// warnings returns what was probably not meant in a row.
func (c *check) warnings(row Row) (all []Fault) {
	sku, location := oddity(row.SKU), oddity(row.Location)
	if sku == "" {
		if line := c.seen.confused(row); line != 0 {
			sku = fmt.Sprintf("looks like the SKU on line %d, but is another", line)
		}
	}
	if sku != "" {
		all = append(all, c.fault(row.Line, row.skuAt, columnSKU, "warning: "+quoted(row.SKU)+" "+sku))
	}
	if location != "" {
		all = append(all, c.fault(row.Line, row.locationAt, columnLocation, "warning: "+quoted(row.Location)+" "+location))
	}
	return all
}

// levels is a set of levels, with the first line of each. It keeps a 128-bit hash of each level,
// with random seeds. A collision among 5 million levels is less likely than a memory error.
type levels struct {
	seeds     [2]maphash.Seed
	lines     map[[2]uint64]uint32
	looks     map[uint64]looked // by the looks of a SKU
	locations map[string]Fault  // at most LocationsMax
}

// looked is the first SKU with some looks.
type looked struct {
	sku  uint64
	line uint32
}

func newLevels() *levels {
	return &levels{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		lines: map[[2]uint64]uint32{}, looks: map[uint64]looked{}, locations: map[string]Fault{},
	}
}

// add adds a level. It returns the first line that has it, or 0.
func (l *levels) add(row Row) int {
	level := row.SKU + "\x1f" + row.Location // identifiers have no control characters
	key := [2]uint64{maphash.String(l.seeds[0], level), maphash.String(l.seeds[1], level)}
	if first, found := l.lines[key]; found {
		return int(first)
	}
	l.lines[key] = uint32(row.Line)
	return 0
}

// confused returns the line of a SKU that looks like this one, or 0.
func (l *levels) confused(row Row) int {
	key, sku := maphash.String(l.seeds[0], looks(row.SKU)), maphash.String(l.seeds[1], row.SKU)
	first, found := l.looks[key]
	if !found {
		l.looks[key] = looked{sku, uint32(row.Line)}
		return 0
	}
	if first.sku == sku {
		return 0
	}
	return int(first.line)
}

// addLocation adds a location and its first row. It reports false if there are too many.
func (l *levels) addLocation(id string, first Fault) bool {
	if _, found := l.locations[id]; found {
		return true
	}
	if len(l.locations) == LocationsMax {
		return false
	}
	first.Message = strings.Clone(id) // id shares memory with its whole row
	l.locations[first.Message] = first
	return true
}
