// Package decimal reads whole numbers from text, exactly: no digit passes through a float.
package decimal

import (
	"strconv"
	"strings"
)

// Whole reads a number as JSON writes it, such as 20, 20.0 or 0.2e2. ok is false if it is not whole.
// A number beyond int64 becomes the nearest int64.
func Whole(text string) (n int64, ok bool) {
	if n, ok := Digits(text); ok {
		return n, true
	}
	number, power, scientific := strings.Cut(strings.ToLower(text), "e")
	integer, fraction, _ := strings.Cut(number, ".")
	digits := integer + fraction
	if _, ok := Digits(digits); !ok {
		return 0, false
	}
	exponent := -len(fraction)
	if scientific {
		n, ok := Digits(strings.TrimPrefix(power, "+"))
		if !ok {
			return 0, false
		}
		exponent += int(min(max(n, -farthest), farthest))
	}
	significant := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(significant)
	switch {
	case strings.Trim(significant, "-") == "":
		return 0, true
	case exponent < 0:
		return 0, false
	}
	return Digits(significant + strings.Repeat("0", min(exponent, digitsMax)))
}

const (
	digitsMax = 20      // more digits than an int64 has
	farthest  = 1 << 40 // an exponent that no number of digits makes up for
)

// Digits reads a whole number from digits, after - if it is negative.
func Digits(text string) (n int64, ok bool) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, _ = strconv.ParseInt(text, 10, 64) // out of range, it returns the nearest
	return n, true
}
