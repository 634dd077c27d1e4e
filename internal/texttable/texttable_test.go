package texttable

import (
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	var out strings.Builder
	Write(&out, [][]string{{"", "p50 µs", "note"}, {"café", "7", "first"}, nil, {"x", "1,000,000", ""}}, 0, 2)
	want := "         p50 µs  note\ncafé          7  first\n\nx     1,000,000\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 20000: "20,000", 1234567: "1,234,567", -12: "-12", -1234: "-1,234", -123: "-123",
	} {
		if got := Grouped(n); got != want {
			t.Errorf("Grouped(%d) = %q, want %q", n, got, want)
		}
	}
}
