package stockcsv

import (
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
	wide, err := r.skipMark()
	if err != nil {
		return nil, err
	}
	if wide != "" {
		return []Fault{r.fault(1, 1, "", wide)}, nil
	}
	record, faults, err := r.record()
	if errors.Is(err, io.EOF) {
		return []Fault{r.fault(1, 1, "", "is empty: it needs the header "+strings.Join(columns, ","))}, nil
	}
	if err != nil || len(faults) > 0 {
		return faults, err
	}
	if message := separator(record); message != "" {
		return []Fault{r.fault(r.line, 1, "", message)}, nil
	}
	r.header, r.fields = map[string]int{}, len(record)
	for i, name := range record {
		if message := r.addColumn(name, i); message != "" {
			line, column := r.csv.FieldPos(i)
			faults = append(faults, r.fault(line, column, "", message))
		}
	}
	for _, name := range columns[:columnsRequired] {
		if _, found := r.header[name]; !found {
			faults = append(faults, r.fault(r.line, 1, "", "the column "+name+" is missing"))
		}
	}
	return faults, nil
}

// addColumn returns what is wrong with a name in the header, or "".
func (r *Reader) addColumn(name string, field int) string {
	if !utf8.ValidString(name) {
		return "is not UTF-8: save the file as UTF-8"
	}
	name = strings.TrimSpace(name)
	if !slices.Contains(columns, name) {
		return fmt.Sprintf("%s is not a column; the columns are %s", quoted(name), strings.Join(columns, ", "))
	}
	if _, found := r.header[name]; found {
		return "the column " + name + " is there twice"
	}
	r.header[name] = field
	return ""
}

// separator reports a header that separates its columns with something other than commas, or "".
func separator(record []string) string {
	if len(record) != 1 {
		return ""
	}
	for mark, name := range map[string]string{";": "semicolons", "\t": "tabs"} {
		if strings.Contains(record[0], mark) {
			return "the columns are separated by " + name + ": save the file with commas"
		}
	}
	return ""
}
