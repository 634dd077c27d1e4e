package location

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// IsCountry reports whether code is a country of ISO 3166-1, in two letters of either case. XK
// (Kosovo) counts too.
func IsCountry(code string) bool {
	return len(code) == 2 && code[0] < 0x80 && code[1] < 0x80 && Countries().has(strings.ToUpper(code))
}

// CountryFault returns what is wrong with a country, or "" if nothing is.
func CountryFault(code string) string {
	if IsCountry(code) {
		return ""
	}
	return fmt.Sprintf("is %q, must be two letters of ISO 3166-1, such as DE", code)
}

// AddressTextFault returns what is wrong with the region or the postal code of an address, or "" if
// nothing is. It must be one region or code, not a pattern for several.
func AddressTextFault(text string) string {
	if strings.ContainsAny(text, "*?!") || strings.Contains(text, "..") {
		return fmt.Sprintf("is %q, must be that of one address: no *, ?, ! or ..", text)
	}
	return TextFault(text)
}

// codePatternFault returns what is wrong with a postal code of a zone in these countries, or "" if
// nothing is.
func codePatternFault(pattern string, countries []string) string {
	code := strings.TrimSuffix(strings.TrimSpace(pattern), "*")
	if !isCode(code) || isRange(code) && !slices.ContainsFunc(countries, isIran) {
		return fmt.Sprintf("is %q, must be a postal code, such as SW1A 1AA, or its beginning and *, such as SW1*", pattern)
	}
	return ""
}

// isCode reports whether text is a postal code or the beginning of one: letters and digits, and
// single separators between them.
func isCode(text string) bool {
	separable := false
	for _, c := range text {
		switch {
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			separable = true
		case separable && strings.ContainsRune("-./", c):
			separable = false
		case c != ' ':
			return false
		}
	}
	return true
}

// isRange reports whether a code looks like two codes, such as 90210-99000.
func isRange(code string) bool {
	from, to, found := strings.Cut(foldCode(code), "-")
	digits := func(s string) bool {
		return len(s) >= 4 && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
	}
	return found && len(from) == len(to) && digits(from) && digits(to)
}

// isIran: only Iran writes codes such as 15119-43943.
func isIran(country string) bool { return strings.EqualFold(country, "IR") }
