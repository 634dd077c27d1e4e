package stockcsv

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// spreadsheetNumber is a long number as a spreadsheet shows it, such as 1.23E+05.
var spreadsheetNumber = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+[0-9]+$`)

// invisible are characters that do not show: they join, separate or direct others.
var invisible = []*unicode.RangeTable{unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point}

// quotes are quotation marks. The first ones also mean inches and feet, at the end.
const (
	marks  = "\"'"
	quotes = marks + "`´‘’‚“”„«»"
)

// oddity returns what about an identifier was probably not meant, or "". Such an identifier looks like
// another one, but is not the same.
func oddity(id string) string {
	if plain(id) {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(id)
	last, _ := utf8.DecodeLastRuneInString(id)
	switch {
	case unicode.IsSpace(first) || unicode.IsSpace(last):
		return "begins or ends with a space"
	case strings.ContainsFunc(id, func(c rune) bool { return unicode.IsSpace(c) && c != ' ' }):
		return "has a space that is not an ordinary one, such as a no-break space"
	case strings.ContainsFunc(id, func(c rune) bool { return unicode.In(c, invisible...) }):
		return "has an invisible character"
	case strings.Contains(id, "  "):
		return "has two spaces in a row"
	case strings.ContainsRune(id, unicode.ReplacementChar):
		return "has a character that was lost in a conversion: check the encoding of the file"
	case first == '=':
		return "is a formula of a spreadsheet: write the value alone"
	case strings.ContainsRune(quotes, first), strings.ContainsRune(quotes[len(marks):], last):
		return "begins or ends with a quote"
	case spreadsheetNumber.MatchString(id):
		return "is a number that a spreadsheet shortened: format the column as text, and export again"
	case !norm.NFC.IsNormalString(id):
		return "has an accent as a character of its own: write it in Unicode form NFC"
	case !norm.NFKC.IsNormalString(id):
		return "has a character that looks like another, such as a full-width letter"
	case mixed(id):
		return "mixes letters of scripts that look alike, such as Latin and Cyrillic"
	}
	return ""
}

// plain reports whether id is made of ASCII letters, digits and - _ . / : # only, as most are.
func plain(id string) bool {
	for i := range len(id) {
		c := id[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_./:#", c) >= 0 {
			continue
		}
		return false
	}
	return true
}

// mixed reports whether id has letters of more than one of the scripts that look alike.
func mixed(id string) bool {
	n := 0
	for _, script := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee} {
		if strings.ContainsFunc(id, func(c rune) bool { return unicode.Is(script, c) }) {
			n++
		}
	}
	return n > 1
}

// looks returns what a reader sees of an identifier: two with the same looks are easily confused.
func looks(id string) string {
	if plain(id) {
		return strings.ToLower(id)
	}
	shown := strings.Map(func(c rune) rune {
		if unicode.In(c, invisible...) || strings.ContainsRune(quotes, c) {
			return -1
		}
		return c
	}, norm.NFKC.String(id))
	return strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(shown, "=")), " "))
}
