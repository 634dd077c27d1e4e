package decimal

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
)

// TestWhole reads whole numbers in every way that JSON can write them.
func TestWhole(t *testing.T) {
	const most, least = int64(math.MaxInt64), int64(math.MinInt64)
	for text, want := range map[string]int64{
		"2": 2, "2.0": 2, "2e0": 2, "0.2e1": 2, "20e-1": 2, "2.00E+0": 2, "-2.0": -2, "0": 0, "-0.0": 0, "0e9": 0, "0.0e-9": 0,
		"9007199254740993.0": 9007199254740993, "9.007199254740993e15": 9007199254740993, "9223372036854775807.0": most,
		"0.0000000000000000000000000000000000000001e40": 1, "10000000000000000000000000000000000000000e-40": 1,
		"9223372036854775808.0": most, "1e400": most, "1e99999999999999999999": most, "-1e400": least, "0e99999999999999999999": 0,
	} {
		if got, ok := Whole(text); got != want || !ok {
			t.Errorf("%s: %d, %t, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"2.5", "1e-1", "0.1", "1e-400", "1e-99999999999999999999", "9007199254740993.5", "", "e", "1e", "x", "--1", "1.-1", "0x1", "1e1.5", "1e1e1", "99999999999999999999x", "1e+-1"} {
		if got, ok := Whole(text); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// FuzzWhole compares Whole with exact rational arithmetic.
func FuzzWhole(f *testing.F) {
	for _, seed := range []string{"2.0", "2e0", "0.2e1", "-1.50e1", "1e20", "25e-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || strings.Trim(text, "0123456789-+.eE") != "" {
			return
		}
		if _, power, _ := strings.Cut(strings.ToLower(text), "e"); len(power) > 3 {
			return // too large for big
		}
		exact, valid := new(big.Rat).SetString(text)
		if !valid {
			t.Fatal(text)
		}
		got, ok := Whole(text)
		switch {
		case !exact.IsInt():
			if ok {
				t.Errorf("%s: %d", text, got)
			}
		case !ok:
			t.Errorf("%s is refused", text)
		case exact.Num().IsInt64() && exact.Num().Int64() != int64(got):
			t.Errorf("%s: %d", text, got)
		}
	})
}
