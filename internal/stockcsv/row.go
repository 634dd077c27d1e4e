package stockcsv

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast/holdfast/cache"
)

// row makes a Row from a record, or returns all its faults.
func (r *Reader) row(record []string) (Row, []Fault, error) {
	if len(record) != r.fields {
		line, column := r.csv.FieldPos(min(len(record)-1, r.fields))
		return Row{Line: r.line}, []Fault{r.fault(line, column, "",
			fmt.Sprintf("the row has %d fields, the header has %d", len(record), r.fields))}, nil
	}
	out := Row{Line: r.line}
	var faults []Fault
	check := func(column, message string) {
		if message != "" {
			line, col := r.position(column)
			faults = append(faults, r.fault(line, col, column, message))
		}
	}
	out.SKU = record[r.header[columnSKU]]
	check(columnSKU, identifierFault(out.SKU))
	out.Location = record[r.header[columnLocation]]
	check(columnLocation, identifierFault(out.Location))
	onHand, message := units(record[r.header[columnOnHand]])
	check(columnOnHand, message)
	out.OnHand = onHand
	out.SafetyStock, message = r.policy(record, columnSafety)
	check(columnSafety, message)
	out.BackorderLimit, message = r.policy(record, columnBackorder)
	check(columnBackorder, message)
	if len(faults) > 0 {
		return Row{Line: r.line}, faults, nil
	}
	return out, nil, nil
}

// policy reads an optional column. It returns nil if the column is missing or its field is empty.
func (r *Reader) policy(record []string, column string) (*int64, string) {
	i, found := r.header[column]
	if !found || record[i] == "" {
		return nil, ""
	}
	n, message := units(record[i])
	return &n, message
}

// identifierFault returns what is wrong with a SKU or location, or "".
func identifierFault(id string) string {
	switch {
	case id == "":
		return "is empty"
	case !utf8.ValidString(id):
		return "is not UTF-8: save the file as UTF-8"
	case len(id) > cache.IdentifierBytesMax:
		return fmt.Sprintf("is %d bytes long, at most %d are allowed", len(id), cache.IdentifierBytesMax)
	case strings.ContainsFunc(id, unicode.IsControl):
		return quoted(id) + " has a control character"
	case strings.ContainsAny(id, "{}"):
		return quoted(id) + " has a { or }, which are not allowed"
	case id == "." || id == "..":
		return quoted(id) + " is not allowed as a name"
	}
	return ""
}

// units parses a whole number from 0 to cache.QuantityMax, or returns what is wrong with it.
func units(text string) (int64, string) {
	digits := strings.TrimPrefix(text, "-")
	switch {
	case text == "":
		return 0, "is empty; write 0 for none"
	case digits == "" || strings.ContainsFunc(digits, func(c rune) bool { return c < '0' || c > '9' }):
		return 0, quoted(text) + " is not a whole number"
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case digits != text && (err != nil || n < 0):
		return 0, quoted(text) + " is below 0"
	case err != nil || n > cache.QuantityMax:
		return 0, fmt.Sprintf("%s is over %d", quoted(text), int64(cache.QuantityMax))
	}
	return n, ""
}

// quoted returns a value for a fault: short, and safe to print on a terminal.
func quoted(value string) string {
	cut := value
	if len(cut) > quotedBytesMax {
		cut = strings.ToValidUTF8(cut[:quotedBytesMax], "") + "…"
	}
	odd := func(c rune) bool { return c == utf8.RuneError || c == '"' || !strconv.IsPrint(c) }
	if cut != "" && strings.TrimSpace(cut) == cut && !strings.ContainsFunc(cut, odd) {
		return cut
	}
	return strconv.Quote(cut)
}
