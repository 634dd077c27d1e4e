package stockcsv

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast/holdfast/cache"
)

// addRows makes the rows of a record: one, or one for each location column. An empty location column
// makes none.
func (r *Reader) addRows(record []string) {
	if len(record) != r.fields {
		line, column := r.csv.FieldPos(min(len(record)-1, r.fields))
		r.rows = append(r.rows, read{Row{Line: r.line}, []Fault{r.fault(line, column, "",
			fmt.Sprintf("the row has %d fields, the header has %d", len(record), r.fields))}})
		return
	}
	for i, c := range r.cells {
		if len(r.options.LocationColumns) > 0 && record[c.field] == "" {
			continue
		}
		row, faults := r.row(record, c)
		if i > 0 && len(faults) > 0 && faults[0].Field == columnSKU && len(r.rows) > 0 {
			return // the SKU is faulty for all locations alike
		}
		r.rows = append(r.rows, read{row, faults})
	}
}

// row makes a Row of a cell of a record, or returns all faults.
func (r *Reader) row(record []string, c cell) (Row, []Fault) {
	out := Row{Line: r.line, Location: c.location}
	var faults []Fault
	check := func(field int, name, message string) (at int) {
		line, at := r.csv.FieldPos(field)
		if message != "" {
			faults = append(faults, r.fault(line, at, name, message))
		}
		return at
	}
	out.SKU = record[r.header[columnSKU]]
	out.skuAt = check(r.header[columnSKU], columnSKU, identifierFault(out.SKU))
	_, out.locationAt = r.csv.FieldPos(c.field)
	if c.location == "" {
		out.Location = record[r.header[columnLocation]]
		out.Location = cmp.Or(r.options.Rename[out.Location], out.Location)
		out.locationAt = check(r.header[columnLocation], columnLocation, identifierFault(out.Location))
	}
	onHand, message := units(record[c.field])
	check(c.field, c.name, message)
	out.OnHand = onHand
	policy := func(column string) *int64 {
		field, found := r.header[column]
		if !found || record[field] == "" {
			return nil
		}
		n, message := units(record[field])
		check(field, column, message)
		return &n
	}
	out.SafetyStock, out.BackorderLimit = policy(columnSafety), policy(columnBackorder)
	if len(faults) > 0 {
		return Row{Line: r.line}, faults
	}
	return out, nil
}

// identifierFault returns what is wrong with a SKU or location, or "".
func identifierFault(id string) string {
	switch {
	case id == "":
		return "is empty"
	case !utf8.ValidString(id):
		return notUTF8
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

// units parses a whole number from 0 to cache.QuantityMax, or returns what is wrong with it. Zeros
// after a decimal point or comma do not count: 5.0, 5,00 and 5.0000 are 5.
func units(text string) (int64, string) {
	if i := strings.IndexAny(text, ".,"); i >= 0 {
		decimals := text[i+1:]
		if decimals != "" && len(decimals) != 3 && strings.Trim(decimals, "0") == "" { // 5.000 may be 5000
			text = text[:i]
		}
	}
	digits := strings.TrimPrefix(text, "-")
	switch {
	case text == "":
		return 0, "is empty; write 0 for none"
	case digits == "" || strings.ContainsFunc(digits, notDigit):
		return 0, quoted(text) + " is not a whole number" + numberHint(digits)
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

func notDigit(c rune) bool { return c < '0' || c > '9' }

// numberHint says what to do about a number as a spreadsheet formats it.
func numberHint(text string) string {
	if spreadsheetNumber.MatchString(text) {
		return ": a spreadsheet shortened it; format the column as a whole number"
	}
	if whole, zeros := text[:max(0, len(text)-4)], text[max(0, len(text)-4):]; (zeros == ".000" || zeros == ",000") &&
		!strings.ContainsFunc(whole, notDigit) {
		return ": write " + whole + " or " + whole + "000"
	}
	groups := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(".,'’ \u00a0\u202f_", c) })
	if len(groups) < 2 || strings.Join(groups, "") == text {
		return ""
	}
	for i, group := range groups {
		if strings.ContainsFunc(group, notDigit) || i > 0 && len(group) != 3 || len(group) > 3 {
			return ""
		}
	}
	return ": write " + strings.Join(groups, "") + ", without separators of thousands"
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
