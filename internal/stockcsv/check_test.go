package stockcsv

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const head = "sku,location,on_hand\n"

func TestCheckFaults(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // after FILE:
	}{
		"on hand below 0":      {head + "A,b,1\nTEE,lyo,-3\n", []string{"3:9: on_hand: -3 is below 0"}},
		"far below 0":          {head + "A,b,-99999999999999999999\n", []string{"2:5: on_hand: -99999999999999999999 is below 0"}},
		"over the most":        {head + "A,b,2147483648\n", []string{"2:5: on_hand: 2147483648 is over 2147483647"}},
		"far over the most":    {head + "A,b,99999999999999999999\n", []string{"2:5: on_hand: 99999999999999999999 is over 2147483647"}},
		"a broken number":      {head + "A,b,1.5\n", []string{"2:5: on_hand: 1.5 is not a whole number"}},
		"a sign only":          {head + "A,b,-\n", []string{"2:5: on_hand: - is not a whole number"}},
		"a plus":               {head + "A,b,+1\n", []string{"2:5: on_hand: +1 is not a whole number"}},
		"a space":              {head + "A,b, 1\n", []string{`2:5: on_hand: " 1" is not a whole number`}},
		"thousands":            {head + `A,b,"1,000"` + "\n", []string{"2:5: on_hand: 1,000 is not a whole number: write 1 or 1000"}},
		"nothing on hand":      {head + "A,b,\n", []string{"2:5: on_hand: is empty; write 0 for none"}},
		"no names":             {head + ",,1\n", []string{"2:1: sku: is empty", "2:2: location: is empty"}},
		"a long name":          {head + strings.Repeat("x", 129) + ",b,1\n", []string{"2:1: sku: is 129 bytes long, at most 128 are allowed"}},
		"braces":               {head + "A,{b},1\n", []string{"2:3: location: {b} has a { or }, which are not allowed"}},
		"a dot":                {head + "..,b,1\n", []string{"2:1: sku: .. is not allowed as a name"}},
		"a control character":  {head + "A\x1b[31m,b,1\n", []string{`2:1: sku: "A\x1b[31m" has a control character`}},
		"Latin-1":              {head + "T\xe4,b,1\n", []string{"2:1: sku: is not UTF-8: save the file as UTF-8, or name its encoding with --encoding"}},
		"policies":             {"sku,location,on_hand,safety_stock,backorder_limit\nA,b,1,-1,x\n", []string{"2:7: safety_stock: -1 is below 0", "2:10: backorder_limit: x is not a whole number"}},
		"the same level twice": {head + "A,b,1\nA,c,1\nA,b,2\n", []string{"4:1: sku: A at b is already on line 2"}},
		"too few fields":       {head + "A,b\n", []string{"2:3: the row has 2 fields, the header has 3"}},
		"too many fields":      {head + "A,b,1,2,3\n", []string{"2:7: the row has 5 fields, the header has 3"}},
		"a bare quote":         {head + "A\"x,b,1\nA,b,-1\n", []string{`2:2: has a " in an unquoted field: quote the whole field, and write "" for each " in it`, "3:5: on_hand: -1 is below 0"}},
		"a quote in a quote":   {head + `"A"x,b,1` + "\n", []string{`2:3: has a quoted field that does not end correctly: put " before the comma, and write "" for each " in the field`}},
		"an open quote":        {head + "\"A,b,1\n", []string{`2:8: has a quoted field that does not end correctly: put " before the comma, and write "" for each " in the field`}},
		"an endless row":       {head + "A,b,1\n\"" + strings.Repeat("x", 4*recordBytesMax), []string{"3:1: the row is longer than 64 KiB: is a quote not closed?"}},
		"all at once":          {head + "A,b,x\n,b,1\nC,d,-1\n", []string{"2:5: on_hand: x is not a whole number", "3:1: sku: is empty", "4:5: on_hand: -1 is below 0"}},

		"no byte":               {"", []string{"1:1: is empty: it needs the header sku,location,on_hand,safety_stock,backorder_limit"}},
		"only a mark":           {"\ufeff", []string{"1:1: is empty: it needs the header sku,location,on_hand,safety_stock,backorder_limit"}},
		"only blank lines":      {"\n\r\n", []string{"1:1: is empty: it needs the header sku,location,on_hand,safety_stock,backorder_limit"}},
		"only a header":         {head, []string{"1:1: has a header but no rows"}},
		"a missing column":      {"sku,on_hand\nA,1\n", []string{"1:1: the column location is missing"}},
		"no header":             {"A,b,1\n", []string{"1:1: A is not a column; the columns are sku, location, on_hand, safety_stock, backorder_limit", "1:3: b is not a column; the columns are sku, location, on_hand, safety_stock, backorder_limit", "1:5: 1 is not a column; the columns are sku, location, on_hand, safety_stock, backorder_limit", "1:1: the column sku is missing", "1:1: the column location is missing", "1:1: the column on_hand is missing"}},
		"an unknown column":     {"sku,location,on_hand,price\nA,b,1,2\n", []string{"1:22: price is not a column; the columns are sku, location, on_hand, safety_stock, backorder_limit"}},
		"a column twice":        {"sku,location,on_hand,sku\n", []string{"1:22: the column sku is there twice"}},
		"semicolons":            {"sku;location;on_hand\nA;b;1\n", []string{"1:1: the columns are separated by semicolons: use --delimiter ';', or save the file with commas"}},
		"tabs":                  {"sku\tlocation\ton_hand\n", []string{"1:1: the columns are separated by tabs: use --delimiter tab, or save the file with commas"}},
		"UTF-16 without a mark": {"s\x00k\x00u\x00", []string{"1:1: is UTF-16 without a byte order mark: save it as UTF-8, or use --encoding utf-16le"}},
		"a header in Latin-1":   {"sk\xfc,location,on_hand\n", []string{"1:1: is not UTF-8: save the file as UTF-8, or name its encoding with --encoding", "1:1: the column sku is missing"}},
		"a quote in the header": {"sku,loc\"ation,on_hand\n", []string{`1:8: has a " in an unquoted field: quote the whole field, and write "" for each " in it`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Check("f.csv", strings.NewReader(c.text), Options{})
			var faults *FaultsError
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want a *FaultsError", err)
			}
			want := "f.csv:" + strings.Join(c.want, "\nf.csv:")
			if err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestCheckTakes(t *testing.T) {
	seven, eight := int64(7), int64(8)
	for name, c := range map[string]struct {
		text string
		want Row
	}{
		"three columns":      {head + "A,b,5\n", Row{Line: 2, SKU: "A", Location: "b", OnHand: 5}},
		"any order":          {"safety_stock,on_hand,backorder_limit,location,sku\n7,5,8,b,A\n", Row{Line: 2, SKU: "A", Location: "b", OnHand: 5, SafetyStock: &seven, BackorderLimit: &eight}},
		"empty policies":     {"sku,location,on_hand,safety_stock,backorder_limit\nA,b,5,,8\n", Row{Line: 2, SKU: "A", Location: "b", OnHand: 5, BackorderLimit: &eight}},
		"a byte order mark":  {"\ufeff" + head + "A,b,5\n", Row{Line: 2, SKU: "A", Location: "b", OnHand: 5}},
		"Windows lines":      {"sku,location,on_hand\r\n\r\nA,b,5\r\n", Row{Line: 3, SKU: "A", Location: "b", OnHand: 5}},
		"no last line end":   {head + "A,b,5", Row{Line: 2, SKU: "A", Location: "b", OnHand: 5}},
		"quotes":             {head + `"A ""x"", y",b,"5"`, Row{Line: 2, SKU: `A "x", y`, Location: "b", OnHand: 5}},
		"the most":           {head + "A,b,2147483647", Row{Line: 2, SKU: "A", Location: "b", OnHand: 2147483647}},
		"zeros":              {head + "A,b,000", Row{Line: 2, SKU: "A", Location: "b"}},
		"spaces in a header": {"sku, location ,on_hand\nA,b,5\n", Row{Line: 2, SKU: "A", Location: "b", OnHand: 5}},
		"the longest name":   {head + strings.Repeat("é", 64) + ",b,5", Row{Line: 2, SKU: strings.Repeat("é", 64), Location: "b", OnHand: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			sum, err := Check("f.csv", iotest.OneByteReader(strings.NewReader(c.text)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			hash := sha256.Sum256([]byte(c.text))
			if sum.Rows != 1 || sum.SHA256 != hex.EncodeToString(hash[:]) {
				t.Errorf("got %+v", sum)
			}
			reader, err := NewReader("f.csv", strings.NewReader(c.text), Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, faults, err := reader.Read()
			if err != nil || faults != nil || !equal(got, c.want) {
				t.Errorf("got %+v %v %v, want %+v", got, faults, err, c.want)
			}
		})
	}
}

func equal(a, b Row) bool {
	same := func(x, y *int64) bool { return (x == nil) == (y == nil) && (x == nil || *x == *y) }
	return a.Line == b.Line && a.SKU == b.SKU && a.Location == b.Location && a.OnHand == b.OnHand &&
		same(a.SafetyStock, b.SafetyStock) && same(a.BackorderLimit, b.BackorderLimit)
}

func TestCheckListsSomeFaultsAndCountsTheRest(t *testing.T) {
	_, err := Check("f.csv", strings.NewReader(head+strings.Repeat("A,b,x\n", FaultsMax+7)), Options{})
	var faults *FaultsError
	if !errors.As(err, &faults) || len(faults.Faults) != FaultsMax || faults.More != 7 {
		t.Fatalf("got %d faults and %d more", len(faults.Faults), faults.More)
	}
	if !strings.HasSuffix(err.Error(), "\nand 7 more") {
		t.Error("the rest is not mentioned")
	}
}

func TestCheckLimitsLocations(t *testing.T) {
	var text strings.Builder
	text.WriteString(head)
	for i := range LocationsMax {
		fmt.Fprintf(&text, "A,l%d,1\nB,l%d,1\n", i, i)
	}
	if _, err := Check("f.csv", strings.NewReader(text.String()), Options{}); err != nil {
		t.Fatal(err)
	}
	text.WriteString("A,other,1\n")
	_, err := Check("f.csv", strings.NewReader(text.String()), Options{})
	if err == nil || err.Error() != "f.csv:2002:3: location: other is one location too many: at most 1000 are allowed" {
		t.Errorf("got %v", err)
	}
}

func TestCheckFailsWithItsFile(t *testing.T) {
	broken := errors.New("disk on fire")
	for name, file := range map[string]io.Reader{
		"at once": iotest.ErrReader(broken),
		"later":   io.MultiReader(strings.NewReader(head+"A,b,1\n"), iotest.ErrReader(broken)),
	} {
		if _, err := Check("f.csv", file, Options{}); !errors.Is(err, broken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// rows makes a file of n rows without holding it.
type rows struct {
	n, next int
	rest    []byte
}

func (r *rows) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		switch {
		case r.next == 0:
			r.rest = []byte(head)
		case r.next > r.n:
			return 0, io.EOF
		default:
			r.rest = fmt.Appendf(r.rest[:0], "SKU-%08d,berlin,%d\n", r.next, r.next)
		}
		r.next++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func BenchmarkCheck(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Check("f.csv", &rows{n: 1_000_000}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(1_000_000*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		head + "A,b,1\n", "\ufeffon_hand,sku,location,safety_stock\r\n1,\"A,\"\"\",b,\r\n", "sku;location\n",
		head + "\"A", head + "A,b,-1\nA,b\n", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sum, err := Check("f", bytes.NewReader(text), Options{})
		var faults *FaultsError
		if err != nil {
			if !errors.As(err, &faults) || len(faults.Faults) == 0 {
				t.Fatalf("got %v, want faults", err)
			}
			return
		}
		if again := rewritten(t, text, sum.Rows); len(again) > 0 {
			if second, err := Check("again", bytes.NewReader(again), Options{}); err != nil || second.Rows != sum.Rows {
				t.Fatalf("written again it has %d rows and %v:\n%s", second.Rows, err, again)
			}
			if third := rewritten(t, again, sum.Rows); !bytes.Equal(again, third) {
				t.Fatalf("reading and writing changes it:\n%s\n%s", again, third)
			}
		}
	})
}

// rewritten reads a file without faults and writes it again.
func rewritten(t *testing.T, text []byte, want int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader("f", bytes.NewReader(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		row, faults, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(faults) > 0 {
			t.Fatalf("Check found nothing, Read %v %v", faults, err)
		}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != want {
		t.Fatalf("Check counted %d rows, Read %d", want, n)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func ExampleCheck() {
	_, err := Check("stock.csv", strings.NewReader(
		"sku,location,on_hand\nTEE-M,berlin,40\nTEE,lyo,-3\nTEE-M,berlin,41\n"), Options{})
	fmt.Println(err)
	// Output:
	// stock.csv:3:9: on_hand: -3 is below 0
	// stock.csv:4:1: sku: TEE-M at berlin is already on line 2
}
