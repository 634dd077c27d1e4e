package location

import (
	"fmt"
	"strings"
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
