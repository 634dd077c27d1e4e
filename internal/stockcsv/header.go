package stockcsv

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// readHeader finds the columns. If the header has a fault, the rest of the file is not read,
// because the meaning of its fields is unknown.
func (r *Reader) readHeader() ([]Fault, error) {
	record, faults, err := r.record()
	if errors.Is(err, io.EOF) {
		return []Fault{r.fault(1, 1, "", "is empty: it needs the header "+strings.Join(Columns, ","))}, nil
	}
	if err != nil || len(faults) > 0 {
		return faults, err
	}
	if message := r.unreadable(record); message != "" {
		return []Fault{r.fault(r.line, 1, "", message)}, nil
	}
	r.header, r.fields = map[string]int{}, len(record)
	for i, name := range record {
		if message := r.addColumn(name, i); message != "" {
			line, column := r.csv.FieldPos(i)
			faults = append(faults, r.fault(line, column, "", message))
		}
	}
	for _, column := range r.required() {
		if _, found := r.header[column]; found {
			continue
		}
		message := "the column " + r.nameOf(column) + " is missing"
		if r.options.others() {
			message += ": the header has " + quotedList(record)
		}
		faults = append(faults, r.fault(r.line, 1, "", message))
	}
	r.findCells()
	return faults, nil
}

// required lists the columns that the file must have. A location column is called by its name.
func (r *Reader) required() []string {
	if len(r.options.LocationColumns) == 0 {
		required := []string{columnSKU, columnLocation, columnOnHand}
		return slices.DeleteFunc(required, func(c string) bool { return c == columnLocation && r.options.Location != "" })
	}
	required := []string{columnSKU}
	for _, c := range r.options.LocationColumns {
		required = append(required, c.Name)
	}
	return required
}

// nameOf returns the name of a column in the header.
func (r *Reader) nameOf(column string) string { return cmp.Or(r.options.Names[column], column) }

// findCells sets what addRows reads of each record.
func (r *Reader) findCells() {
	for _, c := range r.options.LocationColumns {
		r.cells = append(r.cells, cell{r.header[c.Name], c.Location, c.Name})
	}
	if len(r.cells) == 0 {
		r.cells = []cell{{r.header[columnOnHand], r.options.Location, columnOnHand}}
	}
}

// addColumn returns what is wrong with a name in the header, or "".
func (r *Reader) addColumn(name string, field int) string {
	if !utf8.ValidString(name) {
		return notUTF8
	}
	name = strings.TrimSpace(name)
	column := r.columnOf(name)
	if column == "" {
		if r.options.others() {
			return ""
		}
		return fmt.Sprintf("%s is not a column; the columns are %s", quoted(name), strings.Join(Columns, ", "))
	}
	if _, found := r.header[column]; found {
		return "the column " + r.nameOf(column) + " is there twice"
	}
	r.header[column] = field
	return ""
}

// columnOf returns the column that a name in the header names, or "". Case does not count, and in the
// names of our own columns a space or a hyphen is as good as an underscore.
func (r *Reader) columnOf(name string) string {
	for _, c := range r.options.LocationColumns {
		if strings.EqualFold(c.Name, name) {
			return c.Name
		}
	}
	own := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(name))
	for _, column := range Columns {
		if mapped := r.options.Names[column]; mapped != "" && strings.EqualFold(mapped, name) || mapped == "" && own == column {
			return column
		}
	}
	return ""
}

const notUTF8 = "is not UTF-8: save the file as UTF-8, or name its encoding with --encoding"

// unreadable reports a header in another encoding, or one that separates its columns with something
// other than the delimiter. It returns "" if there is no such fault.
func (r *Reader) unreadable(record []string) string {
	if strings.Contains(record[0], "\x00") {
		return "is UTF-16 without a byte order mark: save it as UTF-8, or use --encoding utf-16le"
	}
	if len(record) > 1 || r.options.Delimiter != 0 {
		return ""
	}
	for _, d := range [][3]string{{";", "semicolons", "';'"}, {"\t", "tabs", "tab"}, {"|", "vertical bars", "'|'"}} {
		if strings.Contains(record[0], d[0]) {
			return "the columns are separated by " + d[1] + ": use --delimiter " + d[2] + ", or save the file with commas"
		}
	}
	return ""
}

// quotedList quotes the names of a header for a fault.
func quotedList(record []string) string {
	names := make([]string, len(record))
	for i, name := range record {
		names[i] = quoted(strings.TrimSpace(name))
	}
	return strings.Join(names, ", ")
}
