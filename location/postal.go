package location

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// patternKind says which postal codes a pattern matches.
type patternKind byte

const (
	wholeCode    patternKind = iota // the code from
	codePrefix                      // codes that begin with from; SW1*
	outwardCode                     // British codes whose outward code is from, others that begin with it; SE1 *
	codeRange                       // codes from from to to, with as many digits and letters; 90210...99000
	invalidCodes                    // none: only a directory of an earlier version has such patterns
)

// codePattern is a compiled entry of Zone.PostalCodes. Its codes are folded.
type codePattern struct {
	excludes bool // it begins with !
	kind     patternKind
	from, to string
}

// compilePattern compiles a postal code of a zone in these countries. wrong is what is wrong with it,
// or "" if nothing is.
func compilePattern(text string, countries []string) (p codePattern, wrong string) {
	rest := strings.TrimSpace(text)
	rest, p.excludes = strings.CutPrefix(rest, "!")
	if from, to, isRange := strings.Cut(rest, "..."); isRange {
		p.kind, p.from, p.to = codeRange, foldCode(from), foldCode(to)
		return p, rangeFault(text, from, to)
	}
	code, open := strings.CutSuffix(rest, "*")
	p.from = foldCode(code)
	switch {
	case !isCode(code) || p.from == "" && !open:
		p.kind = invalidCodes
		return p, fmt.Sprintf("is %q, must be a postal code, such as SW1A 1AA, or its beginning and *, such as SW1*, "+
			"or a range, such as 90210...99000; ! before it excludes", text)
	case looksLikeRange(code) && !slices.ContainsFunc(countries, isIran):
		from, to, _ := strings.Cut(code, "-")
		return p, fmt.Sprintf("is %q, must be a postal code: write a range as %s...%s", text, strings.TrimSpace(from), strings.TrimSpace(to))
	case open && strings.HasSuffix(code, " ") && isOutward(p.from):
		p.kind = outwardCode
	case open:
		p.kind = codePrefix
	}
	return p, ""
}

// rangeFault returns what is wrong with a range of postal codes, or "" if nothing is.
func rangeFault(text, from, to string) string {
	first, last := foldCode(from), foldCode(to)
	switch {
	case first == "" || last == "" || !isCode(from) || !isCode(to):
		return fmt.Sprintf("is %q, must have a postal code before and after ...", text)
	case !sameForm(first, last):
		return fmt.Sprintf("is %q, must be a range of codes of one length, with digits and letters in the same places", text)
	case first > last:
		return fmt.Sprintf("is %q, matches no code: write the lower one first", text)
	}
	return ""
}

// foldCode returns a postal code as zones compare it: in upper case, without spaces and hyphens.
func foldCode(code string) string {
	return strings.ToUpper(strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || unicode.Is(unicode.Dash, c) {
			return -1
		}
		return c
	}, code))
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

// looksLikeRange reports whether a code looks like two codes, such as 90210-99000.
func looksLikeRange(code string) bool {
	from, to, found := strings.Cut(strings.Join(strings.Fields(code), ""), "-")
	digits := func(s string) bool { return len(s) >= 4 && strings.Trim(s, "0123456789") == "" }
	return found && len(from) == len(to) && digits(from) && digits(to)
}

// isIran: only Iran writes codes such as 15119-43943.
func isIran(country string) bool { return strings.EqualFold(country, "IR") }

// isOutward reports whether a folded code has the form of a British outward code, such as SE1, SW1A or
// M20.
func isOutward(code string) bool {
	letters := strings.TrimRight(code, "0123456789")
	if len(code) > 2 && isUpper(code[len(code)-1]) {
		letters = strings.TrimRight(code[:len(code)-1], "0123456789")
	}
	digits := len(code) - len(letters)
	return len(letters) >= 1 && len(letters) <= 2 && digits >= 1 && digits <= 2 && isDigit(code[len(letters)]) &&
		isUpper(letters[0]) && isUpper(letters[len(letters)-1])
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// sameForm reports whether two folded codes have one length, and digits in the same places.
func sameForm(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if isDigit(a[i]) != isDigit(b[i]) {
			return false
		}
	}
	return true
}

// postalCode is the postal code of an address in the forms that patterns compare.
type postalCode struct {
	code    string
	short   string // the first five digits of an American ZIP+4, else ""
	outward string // of a British code; else ""
}

// zipCountries use American ZIP codes, britishCountries British postcodes. An address without a country
// may be in one of them.
var (
	zipCountries     = []string{"", "US", "AS", "GU", "MP", "PR", "VI", "FM", "MH", "PW"}
	britishCountries = []string{"", "GB", "GG", "JE", "IM", "GI"}
)

func postalCodeOf(country, text string) postalCode {
	c := postalCode{code: foldCode(text)}
	if len(c.code) == len("100011234") && strings.Trim(c.code, "0123456789") == "" && slices.Contains(zipCountries, country) {
		c.short = c.code[:5]
	}
	if slices.Contains(britishCountries, country) {
		c.outward = outwardOf(c.code)
	}
	return c
}

// outwardOf returns the outward code of a folded British code: all but the inward code, which is a
// digit and two letters. An address may have only the outward code.
func outwardOf(code string) string {
	at := len(code) - 3
	if at > 0 && isDigit(code[at]) && isUpper(code[at+1]) && isUpper(code[at+2]) {
		return code[:at]
	}
	return code
}

// codeSet is a set of patterns.
type codeSet struct {
	whole    map[string]bool
	prefixes []string
	outward  map[string]bool
	spaced   []string // the outward codes, as prefixes of codes that are not British
	ranges   []codePattern
}

func (s *codeSet) add(p *codePattern) {
	switch p.kind {
	case wholeCode:
		if s.whole == nil {
			s.whole = map[string]bool{}
		}
		s.whole[p.from] = true
	case codePrefix:
		s.prefixes = append(s.prefixes, p.from)
	case outwardCode:
		if s.outward == nil {
			s.outward = map[string]bool{}
		}
		s.outward[p.from], s.spaced = true, append(s.spaced, p.from)
	case codeRange:
		s.ranges = append(s.ranges, *p)
	}
}

// has reports whether a pattern of the set matches a code.
func (s *codeSet) has(c *postalCode) bool {
	begins := func(prefix string) bool { return strings.HasPrefix(c.code, prefix) }
	switch {
	case s.whole[c.code] || c.short != "" && s.whole[c.short] || slices.ContainsFunc(s.prefixes, begins):
		return true
	case c.outward != "" && s.outward[c.outward] || c.outward == "" && slices.ContainsFunc(s.spaced, begins):
		return true
	}
	return slices.ContainsFunc(s.ranges, func(r codePattern) bool { return r.spans(c.code) || r.spans(c.short) })
}

// spans reports whether a folded code is in the range.
func (p *codePattern) spans(code string) bool {
	return sameForm(p.from, code) && p.from <= code && code <= p.to
}

// covers reports whether a pattern matches every code that another one does.
func (p *codePattern) covers(other *codePattern) bool {
	switch p.kind {
	case wholeCode:
		return other.kind == wholeCode && p.from == other.from
	case codePrefix:
		return strings.HasPrefix(other.from, p.from) && (other.kind != codeRange || strings.HasPrefix(other.to, p.from))
	case outwardCode:
		return other.kind == outwardCode && p.from == other.from
	case codeRange:
		return other.kind == wholeCode && p.spans(other.from) || other.kind == codeRange && p.spans(other.from) && p.spans(other.to)
	}
	return false
}

// postalCodes checks the postal codes of a zone: each pattern, and that it can match an address.
func (f *faults) postalCodes(path string, z *Zone, stored bool) {
	before := len(f.list)
	f.entries(path, z.PostalCodes, stored, func(text string) string {
		p, _ := compilePattern(text, z.Countries)
		return fmt.Sprint(p)
	}, func(text string) string {
		_, wrong := compilePattern(text, z.Countries)
		return wrong
	})
	if stored || len(f.list) > before {
		return
	}
	patterns := make([]codePattern, len(z.PostalCodes))
	var excluding []int
	for i, text := range z.PostalCodes {
		if patterns[i], _ = compilePattern(text, z.Countries); patterns[i].excludes {
			excluding = append(excluding, i)
		}
	}
	if n := len(patterns); n > 0 && len(excluding) == n {
		f.add(path+"/0", "is %q, but nothing is included: add %q, or the codes that are in the zone", z.PostalCodes[0], "*")
		return
	}
	for i := range patterns {
		for _, e := range excluding {
			if !patterns[i].excludes && patterns[e].covers(&patterns[i]) {
				f.add(fmt.Sprintf("%s/%d", path, i), "is %q, and %q excludes all of it", z.PostalCodes[i], z.PostalCodes[e])
				break
			}
		}
	}
}
