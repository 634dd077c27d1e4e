package stockcsv

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
)

// Summary describes a file without faults.
type Summary struct {
	Rows   int
	SHA256 string // of the file, hexadecimal
}

// Check reads a whole file. If the file has faults, the error is a *FaultsError. A level may be in
// it only once. Check needs about 50 bytes of memory per row.
func Check(name string, file io.Reader) (Summary, error) {
	reader, seen := NewReader(name, file), newLevels()
	var faults FaultsError
	rows := 0
	for {
		row, found, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Summary{}, err
		}
		if rows++; rows > RowsMax {
			faults.add([]Fault{reader.fault(row.Line, 1, "", fmt.Sprintf("the file has more than %d rows: split it", RowsMax))})
			break
		}
		if len(found) == 0 {
			found = reader.compare(seen, row)
		}
		faults.add(found)
	}
	if len(faults.Faults) == 0 && rows == 0 {
		faults.add([]Fault{reader.fault(1, 1, "", "has a header but no rows")})
	}
	if len(faults.Faults) > 0 {
		return Summary{}, &faults
	}
	return Summary{Rows: rows, SHA256: reader.Sum()}, nil
}

// compare returns what is wrong with a row, given the rows before it.
func (r *Reader) compare(seen *levels, row Row) []Fault {
	if seen.location(row.Location) > LocationsMax {
		line, column := r.position(columnLocation)
		return []Fault{r.fault(line, column, columnLocation,
			fmt.Sprintf("%s is one location too many: at most %d are allowed", quoted(row.Location), LocationsMax))}
	}
	if first := seen.add(row); first != row.Line {
		line, column := r.position(columnSKU)
		return []Fault{r.fault(line, column, columnSKU,
			fmt.Sprintf("%s at %s is already on line %d", quoted(row.SKU), quoted(row.Location), first))}
	}
	return nil
}

// levels is a set of levels, with the first line of each. It keeps a 128-bit hash of each level,
// with random seeds. A collision among 5 million levels is less likely than a memory error.
type levels struct {
	seeds     [2]maphash.Seed
	lines     map[[2]uint64]uint32
	locations map[string]bool // at most LocationsMax
}

func newLevels() *levels {
	return &levels{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		lines: map[[2]uint64]uint32{}, locations: map[string]bool{},
	}
}

// add adds a level and returns the first line that has it.
func (l *levels) add(row Row) int {
	level := row.SKU + "\x1f" + row.Location // identifiers have no control characters
	key := [2]uint64{maphash.String(l.seeds[0], level), maphash.String(l.seeds[1], level)}
	if first, found := l.lines[key]; found {
		return int(first)
	}
	l.lines[key] = uint32(row.Line)
	return row.Line
}

// location adds a location and returns how many there are.
func (l *levels) location(id string) int {
	if l.locations[id] {
		return len(l.locations)
	}
	if len(l.locations) == LocationsMax {
		return LocationsMax + 1
	}
	l.locations[strings.Clone(id)] = true // id shares memory with its whole row
	return len(l.locations)
}
