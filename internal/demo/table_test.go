package demo

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWriteText(t *testing.T) {
	r := &Report{OK: true, Seed: 7, Engine: "embedded", Buyers: 20000, Locations: 3}
	for _, sku := range allSKUs {
		r.SKUs = append(r.SKUs, SKUReport{SKU: sku, Totals: Totals{Units: 500_000, Sold: 499_999, Left: 1}})
	}
	r.Total = SKUReport{Totals: Totals{Units: 2_000_000, Sold: 1_999_996, Left: 4}, Refused: 64_123, Requests: 70_000}
	text := written(r)
	if !strings.HasSuffix(text, "\nOK: nothing oversold, nothing lost\n") {
		t.Errorf("the last line is another:\n%s", text)
	}
	if want := "sold                          499,999  499,999  499,999  499,999  1,999,996\n"; !strings.Contains(text, want) {
		t.Errorf("no row %q in\n%s", want, text)
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(line) - 1; n > 100 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

func TestWriteText_Findings(t *testing.T) {
	r := &Report{Findings: []Finding{{checkHeld, "TEE-M at lyon: 1 units"}, {checkLevels, "b"}}}
	if text := written(r); !strings.HasSuffix(text, "\nFAIL: still held: TEE-M at lyon: 1 units; levels: b\n") {
		t.Errorf("the last line is another:\n%s", text)
	}
	for range 9 {
		r.Findings = append(r.Findings, Finding{checkLevels, "c"})
	}
	if text := written(r); !strings.HasSuffix(text, "\nFAIL: still held: TEE-M at lyon: 1 units; levels: b (and 9 more)\n") {
		t.Errorf("the last line is another:\n%s", text)
	}
}

func written(r *Report) string {
	var text strings.Builder
	r.WriteText(&text)
	return text.String()
}

func TestLine(t *testing.T) {
	m := Moment{Units: 1250, Sold: 625, Held: 250, Left: 375, GivenBack: 1000, Refused: 123456, Rate: 12345.6}
	want := "█████▒▒░░░   625 sold   250 held   375 left 1,000 back 123,456 refused 12,345/s"
	if m.String() != want {
		t.Errorf("got  %q\nwant %q", m.String(), want)
	}
	var out strings.Builder
	watch, end := Line(&out, 20)
	watch(m)
	watch(Moment{Units: 1})
	end()
	shown := strings.Split(out.String(), "\r")
	if len(shown) != 5 || shown[1] != "█████▒▒░░░   625 so" || shown[3] != strings.Repeat(" ", 19) || shown[4] != "" {
		t.Errorf("got %q", shown)
	}
}
