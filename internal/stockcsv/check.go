package stockcsv

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
)

// Summary is a file without faults.
type Summary struct {
	Rows   int
	SHA256 string // of its bytes, hexadecimal
}

// Check reads a whole file and lists all that is wrong with it, in a *FaultsError. No level may
// stand in it twice. It remembers some 50 bytes a row and no text.
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
			faults.add([]Fault{reader.fault(row.Line, 1, "", fmt.Sprintf("is over %d rows: split the file", RowsMax))})
			break
		}
		if len(found) == 0 {
			found = reader.beside(seen, row)
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

// beside answers what is wrong with a row beside those before it.
func (r *Reader) beside(seen *levels, row Row) []Fault {
	if seen.location(row.Location) > LocationsMax {
		line, column := r.position(columnLocation)
		return []Fault{r.fault(line, column, columnLocation,
			fmt.Sprintf("%s is one location too many, at most %d are allowed", quoted(row.Location), LocationsMax))}
	}
	if first := seen.add(row); first != row.Line {
		line, column := r.position(columnSKU)
		return []Fault{r.fault(line, column, columnSKU,
			fmt.Sprintf("%s at %s is already on line %d", quoted(row.SKU), quoted(row.Location), first))}
	}
	return nil
}

// levels is a set of levels and the line each was first seen on. It keeps 128 bits of hash for a
// level, with secret seeds: that two of 5 million levels share them is less likely than a fault of
// the memory they lie in.
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

// add answers the line that the level was first seen on.
func (l *levels) add(row Row) int {
	level := row.SKU + "\x1f" + row.Location // no identifier has control characters
	key := [2]uint64{maphash.String(l.seeds[0], level), maphash.String(l.seeds[1], level)}
	if first, found := l.lines[key]; found {
		return int(first)
	}
	l.lines[key] = uint32(row.Line)
	return row.Line
}

// location answers how many locations there are with this one.
func (l *levels) location(id string) int {
	if l.locations[id] {
		return len(l.locations)
	}
	if len(l.locations) == LocationsMax {
		return LocationsMax + 1
	}
	l.locations[strings.Clone(id)] = true // id shares the memory of its whole row
	return len(l.locations)
}
