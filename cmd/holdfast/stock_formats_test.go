package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recipes are the commands of docs/stock-files.md, and the levels that they set.
var recipes = map[string]struct {
	args []string
	want string
}{
	"Shopify": {[]string{"shopify-inventory.csv", "--map", `location=Location,on_hand="On hand (current)"`,
		"--rename-locations", `"Berlin store=berlin,Lyon=lyon"`, "--skip-bad-rows"}, "TEE-L berlin 7, TEE-M berlin 40, TEE-M lyon 3"},
	"Magento":     {[]string{"magento-sources.csv", "--map", "location=source_code,on_hand=quantity"}, "TEE-L berlin 7, TEE-M berlin 40, TEE-M lyon 0"},
	"WooCommerce": {[]string{"woocommerce-products.csv", "--map", "on_hand=Stock", "--location", "berlin", "--skip-bad-rows"}, "TEE-L berlin 7, TEE-M berlin 40"},
	"BigCommerce": {[]string{"bigcommerce-products.csv", "--map", `on_hand="Current Stock"`, "--location", "berlin"}, "TEE berlin 0, TEE-L berlin 7, TEE-M berlin 40"},
	"Medusa": {[]string{"medusa-products.csv", "--delimiter", "';'", "--map", `sku="Variant SKU",on_hand="Variant Inventory Quantity"`,
		"--location", "berlin"}, "TEE-L berlin 7, TEE-M berlin 40"},
	"Amazon": {[]string{"amazon-fba.txt", "--delimiter", "tab", "--map", "on_hand=afn-warehouse-quantity", "--location", "amazon"}, "TEE-L amazon 7, TEE-M amazon 40"},
}

// TestStockRecipes imports a sample of each system's export with the command of the page.
func TestStockRecipes(t *testing.T) {
	page, err := os.ReadFile("../../docs/stock-files.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range recipes {
		t.Run(name, func(t *testing.T) {
			if line := "\nholdfast stock import " + strings.Join(c.args, " ") + "\n"; !strings.Contains(string(page), line) {
				t.Errorf("the page lacks %s", line)
			}
			w := newWarehouse(t)
			args := []string{"stock", "import", filepath.Join("testdata", c.args[0]), "--server", w.url}
			for _, arg := range c.args[1:] {
				args = append(args, strings.NewReplacer(`"`, "", "'", "").Replace(arg))
			}
			run(t, args...).expect(t, exitDone)
			if got := w.stock(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// stock lists the levels.
func (w *warehouse) stock() string {
	var all []string
	for _, l := range w.levels {
		all = append(all, fmt.Sprintf("%s %s %d", l.SKU, l.Location, l.OnHand))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestStockImportSkipsBadRows(t *testing.T) {
	w := newWarehouse(t)
	path := write(t, "a.csv", "sku,location,on_hand\nA,b,1\nB,b,-1\nA,b,2\nC,b,\"x\"\"y\"\nD,b,4\n")
	importing := []string{"stock", "import", path, "--server", w.url, "--skip-bad-rows"}
	got := run(t, importing...).expect(t, exitDone)
	want := path + ":3:5: on_hand: -1 is below 0\n" + path + ":4:1: sku: A at b is already on line 2\n" + path + ":5:5: on_hand: \"x\\\"y\" is not a whole number\n"
	if got.stderr != want || !strings.Contains(got.stdout, ": 2 levels set\n3 rows with faults were skipped\n") || w.stock() != "A b 1, D b 4" {
		t.Errorf("got %+v, stock %s", got, w.stock())
	}
	report := filepath.Join(t.TempDir(), "bad.csv")
	again := run(t, append(importing, "--report", report, "--format=json")...).expect(t, exitDone)
	text, err := os.ReadFile(report)
	if err != nil || again.stderr != "" || again.document(t)["skipped"] != 3.0 || again.document(t)["already_set"] != 2.0 ||
		string(text) != "line,column,field,fault\n3,5,on_hand,-1 is below 0\n4,1,sku,A at b is already on line 2\n5,5,on_hand,\"\"\"x\\\"\"y\"\" is not a whole number\"\n" {
		t.Errorf("got %+v, report %s, %v", again, text, err)
	}
}

func TestStockImportWarns(t *testing.T) {
	w := newWarehouse(t)
	path := write(t, "a.csv", "sku,location,on_hand\nA ,b,1\nC,b,2\n")
	want := path + ":2:1: sku: warning: \"A \" begins or ends with a space\n"
	got := run(t, "stock", "import", path, "--server", w.url, "--strict").expect(t, exitRefused)
	if got.stderr != want || len(w.levels) != 0 {
		t.Errorf("strict: %+v", got)
	}
	if got := run(t, "stock", "import", path, "--server", w.url).expect(t, exitDone); got.stderr != want || w.stock() != "A  b 1, C b 2" {
		t.Errorf("got %+v, stock %s", got, w.stock())
	}
	list, _ := run(t, "stock", "import", path, "--server", w.url, "--format=json").expect(t, exitDone).document(t)["warnings"].([]any)
	if len(list) != 1 {
		t.Errorf("got %v", list)
	}
}

// TestStockImportID checks that the flags that change what a file means change the default id.
func TestStockImportID(t *testing.T) {
	path := write(t, "a.csv", "sku,location,on_hand,other\nA,b,1,2\n")
	seen := map[any]string{}
	for _, flags := range []string{"--map=on_hand=on_hand", "--map=on_hand=other", "--location-columns=on_hand", "--location-columns=other", "--location=c",
		"--map=on_hand=other --skip-bad-rows", "--rename-locations=b=c", "--map=on_hand=other --as-of=2026-11-20T06:00:00Z"} {
		w := newWarehouse(t)
		args := append([]string{"stock", "import", path, "--server", w.url, "--format=json"}, strings.Fields(flags)...)
		id := run(t, args...).expect(t, exitDone).document(t)["id"]
		if before, found := seen[id]; found {
			t.Errorf("%s has the id of %s", flags, before)
		}
		seen[id] = flags
	}
}

func TestStockImportFlags(t *testing.T) {
	path := write(t, "a.csv", "sku,location,on_hand\nA,b,1\n")
	for flags, said := range map[string]string{
		"--map prise=Price":                 `--map names the column "prise"; there are sku, location, on_hand`,
		"--map sku=":                        "--map has no name for sku: write sku=NAME",
		"--map sku":                         "--map is",
		"--location {":                      `--location is "{", which is not an identifier`,
		"--location b --location-columns c": "use one of --location",
		"--location-columns b={":            "is not an identifier: write NAME=LOCATION",
		"--delimiter ;;":                    "--delimiter is \";;\": use one character",
		"--report x.csv":                    "add that flag",
		"--encoding klingon":                `there is no encoding "klingon"`,
		"--map on_hand=Stock --format json": "",
	} {
		got := run(t, append([]string{"stock", "import", path, "--server=http://127.0.0.1:1"}, strings.Fields(flags)...)...)
		if got.code == exitDone || !strings.Contains(got.stderr, said) {
			t.Errorf("%s: exit %d, %s", flags, got.code, got.stderr)
		}
	}
}

// TestStockImportUnknownLocations runs against a real server with a directory that has only a.
func TestStockImportUnknownLocations(t *testing.T) {
	t.Chdir(t.TempDir())
	server := "--server=" + start(t).url
	path := write(t, "stock.csv", "sku,location,on_hand\nTEE,a,1\nTEE,A,2\nTEE,\"a \",3\nCAP,A,4\n")
	apply := command{args: []string{"locations", "apply", "-", server}, stdin: "locations: [{id: a}]\nchannels: [{id: web, default: true, locations: [a]}]\n"}
	apply.run(t).expect(t, exitDone)
	got := run(t, "stock", "import", path, server).expect(t, exitRefused)
	const hint = " is not in the routing directory: correct it, add it with `holdfast locations apply`, or use --allow-unknown-locations\n"
	if want := path + `:3:5: location: "A"` + hint + path + `:4:5: location: "a "` + hint; got.stderr != want {
		t.Errorf("got\n%s\nwant\n%s", got.stderr, want)
	}
	if shown := run(t, "stock", "show", "TEE", server); shown.code != exitRefused {
		t.Errorf("something was imported: %s", shown.stdout)
	}
	adjust := []string{"stock", "adjust", "--sku=TEE", "--location=A", "--delta=1", server}
	if got := run(t, adjust...).expect(t, exitRefused); !strings.Contains(got.stderr, `/location: is "A", which the directory does not have; there are a`) {
		t.Errorf("adjusted: %s", got.stderr)
	}
	run(t, "stock", "import", path, server, "--allow-unknown-locations").expect(t, exitDone)
	if shown := run(t, "stock", "show", "TEE", server).expect(t, exitDone); strings.Count(shown.stdout, "\n") != 4 {
		t.Errorf("got %s", shown.stdout)
	}
}

// TestUnknownLocationOverHTTP sends units to a mistyped location by every call that can.
func TestUnknownLocationOverHTTP(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t)
	command{args: []string{"stock", "import", "-", "--server", p.url}, stdin: "sku,location,on_hand\nTEE,a,9\n"}.run(t).expect(t, exitDone)
	command{args: []string{"locations", "apply", "-", "--server", p.url}, stdin: "locations: [{id: a}]\nchannels: [{id: web, default: true, locations: [a]}]\n"}.
		run(t).expect(t, exitDone)
	post := func(path, body string) (int, string) {
		t.Helper()
		answer, err := http.Post(p.url+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	p.reserve(t, `{"id":"o","lines":[{"line":"1","sku":"TEE","quantity":3}]}`)
	for _, step := range []string{"/v1/reservations/o/confirm", "/v1/reservations/o/fulfill"} {
		if status, text := post(step, "{}"); status != http.StatusOK {
			t.Fatalf("%s: %d %s", step, status, text)
		}
	}
	for path, c := range map[string][2]string{
		"/v1/reservations/o/return": {`{"id":"r","to":"strasse-9","lines":[{"line":"1","quantity":1}]}`, "/to"},
		"/v1/stock/transfers":       {`{"id":"t","sku":"TEE","from":"a","to":"strasse-9","quantity":1}`, "/to"},
		"/v1/stock/adjustments":     {`{"id":"d","sku":"TEE","location":"strasse-9","delta":1}`, "/location"},
		"/v1/stock/counts":          {`{"id":"c","counts":[{"sku":"TEE","location":"a","on_hand":5},{"sku":"TEE","location":"strasse-9","on_hand":1}]}`, "/counts/1/location"},
	} {
		status, text := post(path, c[0])
		if want := `"path":"` + c[1] + `","message":"is \"strasse-9\", which the directory does not have; there are a"`; status != http.StatusUnprocessableEntity || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, text := post("/v1/reservations/o/return", `{"id":"r","to":"a","lines":[{"line":"1","quantity":1}]}`); status != http.StatusOK {
		t.Errorf("to a known location: %d %s", status, text)
	}
}
