package stockcsv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// read lists the levels of a file, after a check.
func readAll(t *testing.T, text string, o Options) (levels []string, s Summary) {
	t.Helper()
	s, err := Check("f", strings.NewReader(text), o)
	if err != nil {
		return strings.Split(err.Error(), "\n"), s
	}
	r, err := NewReader("f", strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		row, faults, err := r.Read()
		if errors.Is(err, io.EOF) {
			return levels, s
		}
		if err != nil || len(faults) > 0 && !s.Bad(i) {
			t.Fatalf("row %d: %v, %v", i, faults, err)
		}
		if !s.Bad(i) {
			levels = append(levels, fmt.Sprintf("%s %s %d", row.SKU, row.Location, row.OnHand))
		}
	}
}

var optionsTests = map[string]struct {
	text string
	o    Options
	want string // the levels or the faults, separated by |
}{
	"header in capitals":    {"SKU,Location,On Hand\nA,b,5\n", Options{}, "A b 5"},
	"header with hyphens":   {"sku,location,on-hand,Safety Stock\nA,b,5,\n", Options{}, "A b 5"},
	"mapped":                {"x,Variant SKU,Place,Available\n?,A,b,5\n", Options{Names: map[string]string{"sku": "variant sku", "location": "Place", "on_hand": "Available"}}, "A b 5"},
	"mapped away":           {"sku,id,location,on_hand\nold,A,b,5\n", Options{Names: map[string]string{"sku": "id"}}, "A b 5"},
	"mapped to none":        {"sku,location,on_hand\nA,b,5\n", Options{Names: map[string]string{"sku": "Variant SKU"}}, "f:1:1: the column Variant SKU is missing: the header has sku, location, on_hand"},
	"one location":          {"sku,on_hand\nA,5\n", Options{Location: "b"}, "A b 5"},
	"location columns":      {"sku,Berlin store,lyon,x\nA,5,,?\nB,0,7.0,?\n", Options{LocationColumns: []LocationColumn{{"Berlin store", "berlin"}, {"lyon", "lyon"}}}, "A berlin 5|B berlin 0|B lyon 7"},
	"no location column":    {"sku,berlin\nA,5\n", Options{LocationColumns: []LocationColumn{{"lyon", "lyon"}}}, "f:1:1: the column lyon is missing: the header has sku, berlin"},
	"fault in a location":   {"sku,berlin,lyon\nA,5,x\n", Options{LocationColumns: []LocationColumn{{"berlin", "berlin"}, {"lyon", "lyon"}}}, "f:2:5: lyon: x is not a whole number"},
	"one fault of a SKU":    {"sku,berlin,lyon\n,5,6\n", Options{LocationColumns: []LocationColumn{{"berlin", "berlin"}, {"lyon", "lyon"}}}, "f:2:1: sku: is empty"},
	"semicolons":            {"sku;location;on_hand\nA;b,c;5\n", Options{Delimiter: ';'}, "A b,c 5"},
	"tabs with inches":      {"sku\tlocation\ton_hand\nA 5\"\tb\t5\n", Options{Delimiter: '\t'}, `A 5" b 5`},
	"zeros after a point":   {head + "A,b,5.0\nB,b,6.00\nC,b,7.0000\nD,b,0.0\nE,b,\"8,00\"\n", Options{}, "A b 5|B b 6|C b 7|D b 0|E b 8"},
	"three zeros":           {head + "A,b,5.000\n", Options{}, "f:2:5: on_hand: 5.000 is not a whole number: write 5 or 5000"},
	"half a unit":           {head + "A,b,5.50\n", Options{}, "f:2:5: on_hand: 5.50 is not a whole number"},
	"thousands with spaces": {head + "A,b,1 234 567\n", Options{}, "f:2:5: on_hand: 1 234 567 is not a whole number: write 1234567, without separators of thousands"},
	"thousands with quotes": {head + "A,b,1'234\n", Options{}, "f:2:5: on_hand: 1'234 is not a whole number: write 1234, without separators of thousands"},
	"a shortened number":    {head + "A,b,1.2E+05\n", Options{}, "f:2:5: on_hand: 1.2E+05 is not a whole number: a spreadsheet shortened it; format the column as a whole number"},
	"skipped rows":          {head + "A,b,1\nB,b,x\nA,b,2\nC,b\nD,b,4\n", Options{SkipBad: true}, "A b 1|D b 4"},
	"all rows skipped":      {head + "A,b,x\n", Options{SkipBad: true}, "f:1:1: all 1 rows have faults"},
	"a header is not":       {"sku,on_hand\nA,1\n", Options{SkipBad: true}, "f:1:1: the column location is missing"},
	"an endless row is not": {head + "A,b,1\n\"" + strings.Repeat("x", 4*recordBytesMax), Options{SkipBad: true}, "f:3:1: the row is longer than 64 KiB: is a quote not closed?"},
	"no such encoding":      {head, Options{Encoding: "klingon"}, `there is no encoding "klingon": use a name such as windows-1252, iso-8859-15 or utf-16le`},
	"strict":                {head + "A ,b,1\n", Options{Strict: true}, `f:2:1: sku: warning: "A " begins or ends with a space`},
	"strict, skipped":       {head + "A ,b,1\nB,b,2\n", Options{Strict: true, SkipBad: true}, "B b 2"},
}

func TestOptions(t *testing.T) {
	for name, c := range optionsTests {
		t.Run(name, func(t *testing.T) {
			if got, _ := readAll(t, c.text, c.o); strings.Join(got, "|") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), c.want)
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	const text = "sku,location,on_hand\r\nTÉE,zürich,5\r\n"
	for name, c := range map[string]struct {
		encoding encoding.Encoding
		o        Options
	}{
		"UTF-8 with a mark":       {unicode.UTF8BOM, Options{}},
		"UTF-16 little endian":    {unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), Options{}},
		"UTF-16 big endian":       {unicode.UTF16(unicode.BigEndian, unicode.UseBOM), Options{}},
		"UTF-16 without a mark":   {unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), Options{Encoding: "utf-16le"}},
		"Windows-1252":            {charmap.Windows1252, Options{Encoding: "windows-1252"}},
		"UTF-8, named wrongly":    {unicode.UTF8BOM, Options{Encoding: "windows-1252"}},
		"ISO 8859-15 by its name": {charmap.ISO8859_15, Options{Encoding: "latin-9"}},
	} {
		encoded, err := c.encoding.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		if c.o.Encoding == "latin-9" {
			c.o.Encoding = "iso-8859-15"
		}
		if got, _ := readAll(t, encoded, c.o); strings.Join(got, "|") != "TÉE zürich 5" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestWarnings gives a warning for every name that looks like another, and for no other name.
func TestWarnings(t *testing.T) {
	for id, want := range map[string]string{
		"TEE-M": "", "tee m": "", "T/1_2.3:4#5": "", "Größe-42": "", "Размер-42": "", "サイズ": "", `TV-55"`: "", "5'": "", "1E5": "", "12e3": "", "A+B": "", "№": "has a character",
		" A": "begins or ends with a space", "A ": "begins or ends with a space", "A\u00a0": "begins or ends with a space", "\u3000A": "begins or ends with a space",
		"A\u00a0B": "no-break space", "A\u2009B": "no-break space", "A\u200bB": "an invisible character", "A\ufeff": "an invisible character",
		"A\u00adB": "an invisible character", "A\u200dB": "an invisible character", "A\u202eB": "an invisible character", "A\ufe0f": "an invisible character", "A\u2060": "an invisible character",
		"A  B": "two spaces", `="00123"`: "a formula", "=A1": "a formula", "'00123": "a quote", `"A"`: "a quote", "“A”": "a quote", "A’": "a quote", "`A": "a quote",
		"1.23E+05": "a number that a spreadsheet shortened", "4,00638E+12": "a number that a spreadsheet shortened", "5E+10": "a number that a spreadsheet shortened",
		"cafe\u0301": "Unicode form NFC", "ＡＢ": "full-width", "ﬁt": "full-width", "TЕE": "Latin and Cyrillic", "Αlpha": "Latin and Cyrillic", "A\ufffd": "lost in a conversion",
	} {
		for _, location := range []bool{false, true} {
			row := []string{id, "b"}
			if location {
				row = []string{"A", id}
			}
			text := head + `"` + strings.ReplaceAll(row[0], `"`, `""`) + `","` + strings.ReplaceAll(row[1], `"`, `""`) + "\",1\n"
			s, err := Check("f", strings.NewReader(text), Options{})
			got := s.Warnings.Error()
			if err != nil || want == "" && got != "" || want != "" && (!strings.Contains(got, want) || len(s.Warnings.Faults) != 1) {
				t.Errorf("%q: got %q, %v, want %q", row, got, err, want)
			}
		}
	}
}

// TestWarningsOfPairs compares SKUs with those before them.
func TestWarningsOfPairs(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"case":             {head + "TEE-M,b,1\nCAP,b,1\ntee-m,b,1\n", "f:4:1: sku: warning: tee-m looks like the SKU on line 2, but is another"},
		"the same, twice":  {head + "TEE-M,b,1\nTEE-M,c,1\n", ""},
		"after an oddity":  {head + "TEE-M,b,1\n\"TEE-M \",b,1\n", `f:3:1: sku: warning: "TEE-M " begins or ends with a space`},
		"spaces":           {head + "TEE M,b,1\ntee m,c,1\n", "f:3:1: sku: warning: tee m looks like the SKU on line 2, but is another"},
		"a leading zero":   {head + "00123,b,1\n123,b,1\n", ""},
		"different enough": {head + "TEE-M,b,1\nTEE-L,b,1\n", ""},
	} {
		s, err := Check("f", strings.NewReader(c.text), Options{})
		if err != nil || s.Warnings.Error() != c.want {
			t.Errorf("%s: got %q, %v", name, s.Warnings.Error(), err)
		}
	}
}

// FuzzOptions reads files in other forms. Rows that Check skips are the only ones with faults, and what
// is left can be written and read again.
func FuzzOptions(f *testing.F) {
	f.Add([]byte("sku;lyon;on_hand\nA;5,00;1\nA;;x\n\"B \";2;3\n"))
	f.Add([]byte("\xff\xfes\x00k\x00u\x00;\x00l\x00y\x00o\x00n\x00\n\x00A\x00;\x005\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, o := range []Options{
			{SkipBad: true, Delimiter: ';', LocationColumns: []LocationColumn{{"lyon", "lyon"}, {"on_hand", "berlin"}}},
			{SkipBad: true, Strict: true, Location: "lyon", Names: map[string]string{"on_hand": "lyon"}, Encoding: "windows-1252"},
		} {
			s, err := Check("f", bytes.NewReader(text), o)
			if err != nil {
				continue
			}
			r, err := NewReader("f", bytes.NewReader(text), o)
			if err != nil {
				t.Fatal(err)
			}
			var again bytes.Buffer
			w, err := NewWriter(&again)
			if err != nil {
				t.Fatal(err)
			}
			rows := 0
			for i := 0; ; i++ {
				row, faults, err := r.Read()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil || len(faults) > 0 && !s.Bad(i) {
					t.Fatalf("row %d: %v, %v", i, faults, err)
				}
				if s.Bad(i) {
					continue
				}
				rows++
				if err := w.Write(row); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil || rows != s.Rows {
				t.Fatalf("read %d rows, checked %d, %v", rows, s.Rows, err)
			}
			if back, err := Check("again", &again, Options{}); err != nil || back.Rows != rows {
				t.Fatalf("written again: %d rows of %d, %v", back.Rows, rows, err)
			}
		}
	})
}
