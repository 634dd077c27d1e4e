package location

import (
	"slices"
	"strings"
	"testing"
)

// TestPostalCodes checks which addresses a zone's postal codes cover.
func TestPostalCodes(t *testing.T) {
	for _, c := range []struct {
		codes, country string
		in, out        string // postal codes, between commas
	}{
		{"75*", "FR", "75001, 75 011, 75", "76000, 175, 7"},
		{"*", "FR", "1, AB", ""},
		{"90210", "US", "90210, 90210-1234, 90210 1234, 902101234", "90211, 9021, 90210-123, 90210-12345, 902101"},
		{"90210", "DE", "90210", "90210-1234"},
		{"90210-1234", "US", "90210-1234, 902101234", "90210, 90210-1235"},
		{"90210...99000", "US", "90210, 95000, 99000, 99000-9999, 90210-0001", "90209, 99001, 9021, 902100, 1, AAAAA"},
		{"90210 ... 99000", "", "95000, 95000-1234", "89999"},
		{"1000AA...1099ZZ", "NL", "1000 AA, 1050bc, 1099ZZ", "1100AA, 1050, 1000A1, 10500C"},
		{"SE1 *", "GB", "SE1 1AA, se11aa, SE1", "SE10 1AA, SE101AA, SE10, SE11, SE2 1AA, SE1A 1AA"},
		{"SE1*", "GB", "SE1 1AA, SE10 1AA, SE11", "SE2 1AA"},
		{"SE10 *, W1A *", "GB", "SE10 1AA, W1A 0AX", "SE1 0AA, W1 0AX, W10 1AA"},
		{"E1 *", "", "E1 6AN, E16AN", "E16 1AA, E10"},
		{"K1A *", "CA", "K1A 0B1, k1a0b1", "K2A 0B1"},
		{"D02 *", "IE", "D02 X285", "D03 X285"},
		{"01 *", "DE", "01067", "10115"},
		{"*, !BT*", "GB", "SW1A 1AA", "BT1 1AA, bt 11aa, BT"},
		{"!BT*, *, !SE1 *, !SW1A 1AA, !90210...90220", "GB", "SE10 1AA, SW1A 1AB, 90221", "BT1 1AA, SE1 1AA, SW1A1AA, 90215"},
		{"1*, !10115", "US", "10116, 10115A", "10115, 10115-1234, 20115"},
		{"01310-100", "BR", "01310-100, 01310100, 01310 100", "01310, 01310-101"},
		{"01310100", "BR", "01310-100", ""},
		{"00-950", "PL", "00-950, 00950, 00–950", "00951"},
		{"1000001", "JP", "100-0001, 1000001, 100 0001", "1000002, 100"},
		{"100-*", "JP", "100-0001", "101-0001"},
		{"LV-1050, LV-2*", "LV", "LV-1050, lv1050, LV 2010", "1050, LV-3001"},
		{"15119-43943", "IR", "15119-43943, 1511943943", "15119"},
		{"１００", "JP", "１００", "100"},
	} {
		d := europe()
		d.Zones[3].PostalCodes = strings.Split(c.codes, ", ")
		if c.country != "" {
			d.Zones[3].Countries = []string{c.country}
		}
		r, err := Compile(d)
		if err != nil {
			t.Errorf("%s: %v", c.codes, err)
			continue
		}
		for _, side := range []struct {
			codes string
			want  bool
		}{{c.in, true}, {c.out, false}} {
			for code := range strings.SplitSeq(side.codes, ", ") {
				routing, err := Route(r, Request{ShipTo: to(c.country, "", code)})
				if got := slices.Contains(routing.Candidates("").IDs, "oslo"); err != nil || code != "" && got != side.want {
					t.Errorf("%s in %q covers %q: %t, %v", c.codes, c.country, code, got, err)
				}
			}
		}
	}
}

// TestPostalCodes_Faults checks that a pattern that can match nothing is refused, and where.
func TestPostalCodes_Faults(t *testing.T) {
	const form = `must be a postal code, such as SW1A 1AA, or its beginning and *, such as SW1*, or a range, such as 90210...99000; ! before it excludes`
	for _, c := range []struct{ codes, want string }{
		{"99000...90210", `0 is "99000...90210", matches no code: write the lower one first`},
		{"10115, 100...9999", `1 is "100...9999", must be a range of codes of one length, with digits and letters in the same places`},
		{"1000AA...99ZZ99", `0 is "1000AA...99ZZ99", must be a range of codes of one length, with digits and letters in the same places`},
		{"...99000", `0 is "...99000", must have a postal code before and after ...`},
		{"90210...", `0 is "90210...", must have a postal code before and after ...`},
		{"902*...903*", `0 is "902*...903*", must have a postal code before and after ...`},
		{"1...2...3", `0 is "1...2...3", must have a postal code before and after ...`},
		{"90210-99000", `0 is "90210-99000", must be a postal code: write a range as 90210...99000`},
		{"90210 - 99000", `0 is "90210 - 99000", must be a postal code: write a range as 90210...99000`},
		{"90210..99000", `0 is "90210..99000", ` + form},
		{"!!BT*", `0 is "!!BT*", ` + form},
		{"*, !", `1 is "!", ` + form},
		{"SW1?", `0 is "SW1?", ` + form},
		{"!BT*", `0 is "!BT*", but nothing is included: add "*", or the codes that are in the zone`},
		{"!BT*, !SE1 *", `0 is "!BT*", but nothing is included: add "*", or the codes that are in the zone`},
		{"*, !*", `0 is "*", and "!*" excludes all of it`},
		{"75*, 69001, !7*", `0 is "75*", and "!7*" excludes all of it`},
		{"75001...75020, 1*, !75*", `0 is "75001...75020", and "!75*" excludes all of it`},
		{"1*, SE1 *, !S*", `1 is "SE1 *", and "!S*" excludes all of it`},
		{"1*, SE1 *, !SE1 *", `1 is "SE1 *", and "!SE1 *" excludes all of it`},
		{"90215, 1*, !90210...90220", `0 is "90215", and "!90210...90220" excludes all of it`},
		{"90215...90216, 1*, !90210...90220", `0 is "90215...90216", and "!90210...90220" excludes all of it`},
		{"10115, !10 115", `0 is "10115", and "!10 115" excludes all of it`},
		{"sw1*, SW 1*, !1, !-1", `1 names "SW 1*" a second time; 3 is "!-1", ` + form},
		{"00-950, 00950", `1 names "00950" a second time`},
		{"SE1*, SE1 *", ""},
		{"75*, !75001", ""},
		{"75001, !75001...75020, 69*", `0 is "75001", and "!75001...75020" excludes all of it`},
	} {
		d := europe()
		d.Zones[3].PostalCodes = strings.Split(c.codes, ", ")
		var got []string
		for _, f := range d.Validate() {
			got = append(got, strings.TrimPrefix(f.Path, "/zones/3/postal_codes/")+" "+f.Message)
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.codes, text, c.want)
		}
	}
}

// FuzzPostalCode checks that the compiler of patterns never panics, and that a pattern which it accepts
// matches what its definition says.
func FuzzPostalCode(f *testing.F) {
	for _, seed := range [][3]string{
		{"75*", "75011", "FR"}, {"90210...99000", "95000-1234", "US"}, {"!BT*", "BT1 1AA", "GB"}, {"SE1 *", "SE10 1AA", "GB"},
		{"K1A *", "K1A 0B1", "CA"}, {"90210-99000", "90210", ""}, {"15119-43943", "1511943943", "IR"}, {"ß*", "SS", "DE"}, {"\xff...\xff", "\xff", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, pattern, code, country string) {
		country = strings.ToUpper(country)
		countries := []string{country}
		p, wrong := compilePattern(pattern, countries)
		z := compileZone(Zone{Countries: countries, PostalCodes: []string{pattern}})
		all := compileZone(Zone{Countries: countries, PostalCodes: []string{"*", pattern}})
		d := destination{country: country, code: postalCodeOf(country, code)}
		if d.code.code == "" {
			return
		}
		want := wrong == "" && matches(strings.TrimPrefix(strings.TrimSpace(pattern), "!"), code, country)
		if got := z.covers(&d); got != (want && !p.excludes) {
			t.Errorf("%q (%+v, %s) covers %q in %q: %t, want %t", pattern, p, wrong, code, country, got, want)
		}
		if got := all.covers(&d); got != !(want && p.excludes) {
			t.Errorf("* and %q (%+v, %s) cover %q in %q: %t", pattern, p, wrong, code, country, got)
		}
	})
}

// matches reports by the definition of patterns whether one without ! matches a code.
func matches(pattern, code, country string) bool {
	code = foldCode(code)
	codes := []string{code}
	if len(code) == 9 && strings.Trim(code, "0123456789") == "" && slices.Contains(zipCountries, country) {
		codes = append(codes, code[:5])
	}
	if from, to, isRange := strings.Cut(pattern, "..."); isRange {
		return slices.ContainsFunc(codes, func(c string) bool {
			return sameForm(foldCode(from), c) && foldCode(from) <= c && c <= foldCode(to)
		})
	}
	begin, open := strings.CutSuffix(pattern, "*")
	switch {
	case !open:
		return slices.Contains(codes, foldCode(pattern))
	case strings.HasSuffix(begin, " ") && isOutward(foldCode(begin)) && slices.Contains(britishCountries, country):
		return outwardOf(code) == foldCode(begin)
	default:
		return strings.HasPrefix(code, foldCode(begin))
	}
}

// TestIsOutward checks the forms of British outward codes.
func TestIsOutward(t *testing.T) {
	for code, want := range map[string]bool{
		"M1": true, "B33": true, "CR2": true, "DN55": true, "W1A": true, "EC1A": true, "SE10": true,
		"": false, "M": false, "SE": false, "1": false, "12": false, "ABC": false, "ABC1": false, "A123": false, "1A": false, "A1AA": false, "Ж1": false,
	} {
		if got := isOutward(code); got != want {
			t.Errorf("%q: %t", code, got)
		}
	}
}
