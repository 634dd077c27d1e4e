// Package texttable prints tables and numbers for people.
package texttable

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Write aligns the cells of all rows in columns, two spaces apart. The columns numbered in text,
// from 0, are aligned to the left and all others to the right. An empty row is a blank line.
func Write(w io.Writer, rows [][]string, text ...int) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if slices.Contains(text, i) {
				cells[i] = cell + padding
			} else {
				cells[i] = padding + cell
			}
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "  "), " "))
	}
}

// Grouped formats a number with a comma after each group of three digits, such as 1,234,567.
func Grouped(n int64) string {
	digits, sign := strings.CutPrefix(strconv.FormatInt(n, 10), "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if sign {
		return "-" + digits
	}
	return digits
}
