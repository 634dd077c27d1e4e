package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

const shops = `locations:
  - {id: berlin, country: DE, priority: 2, zones: [dach]}
  - {id: lyon, country: FR, priority: 1, zones: [eu]}
  - {id: store, country: DE, pickup: true}
zones:
  - {id: dach, countries: [DE, AT, CH]}
  - {id: eu, countries: [DE, FR]}
channels:
  - {id: web, default: true, locations: [berlin, lyon, store], rank: [same_country, priority]}
`

const shopStock = "sku,location,on_hand\nTEE,berlin,5\nTEE,lyon,5\nTEE,store,5\nCAP,lyon,1\n"

func TestLocations(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t)
	server := "--server=" + p.url
	show := func(code int) ran { t.Helper(); return run(t, "locations", "show", server).expect(t, code) }
	apply := func(text string, args ...string) ran {
		t.Helper()
		return command{args: append([]string{"locations", "apply", "-", "--actor=anna", server}, args...), stdin: text}.run(t)
	}
	if got := show(exitRefused); !strings.Contains(got.stderr, "no directory was applied") {
		t.Errorf("without a directory: %q", got.stderr)
	}
	first := apply(shops, "--if-version=0").expect(t, exitDone)
	again := apply(shops).expect(t, exitDone)
	if first.stdout != "version 1 is applied; every server uses it within a second: locations 3, zones 2, channels 1, campaigns 0, kits 0\n" ||
		again.stdout != "nothing changed: version 1 is the same\n" {
		t.Errorf("got %q, then %q", first.stdout, again.stdout)
	}
	shown := show(exitDone).stdout
	comment, text, _ := strings.Cut(shown, "\n")
	if !strings.HasPrefix(comment, "# version 1, applied 20") || !strings.HasSuffix(comment, " by anna") {
		t.Errorf("the comment is %q", comment)
	}
	if got := apply(text).expect(t, exitDone); !strings.Contains(got.stdout, "nothing changed") {
		t.Errorf("the shown directory is different: %q\n%s", got.stdout, text)
	}
	if got := apply(shops, "--if-version=7").expect(t, exitRefused); !strings.Contains(got.stderr, "version_conflict: version conflict: the version is now 1") {
		t.Errorf("got %q", got.stderr)
	}
	wrong := strings.Replace(shops, "country: FR", "country: France", 1)
	if got := apply(wrong).expect(t, exitRefused); got.stderr != "stdin:3:25: /locations/1/country: is \"France\", must be two letters of ISO 3166-1, such as DE\n" || got.stdout != "" {
		t.Errorf("got %q and %q", got.stderr, got.stdout)
	}
	if got := apply(wrong, "--format=json").expect(t, exitRefused).document(t); len(got["faults"].([]any)) != 1 {
		t.Errorf("got %v", got)
	}
	if got := apply("", "--check").expect(t, exitRefused); !strings.Contains(got.stderr, "stdin:1:1: is empty") {
		t.Errorf("got %q", got.stderr)
	}
	if got := apply(strings.Replace(shops, "berlin", "bonn", 1), "--format=json").expect(t, exitRefused); !strings.Contains(got.stderr, `names "berlin"`) {
		t.Errorf("got %q", got.stderr)
	}
	if got := run(t, "locations", "show", "--format=json", server).expect(t, exitDone).document(t); got["version"] != 1.0 || len(got["locations"].([]any)) != 3 {
		t.Errorf("got %v", got)
	}
}

// TestLocationsWarn applies a directory that lacks a location with stock.
func TestLocationsWarn(t *testing.T) {
	t.Chdir(t.TempDir())
	server := "--server=" + start(t).url
	stock := "sku,location,on_hand\nTEE,Berlin,5\nTEE,berlin,5\nTEE,moon,0\nCAP,lyon ,1\n"
	command{args: []string{"stock", "import", "-", server}, stdin: stock}.run(t).expect(t, exitDone)
	got := command{args: []string{"locations", "apply", "-", server}, stdin: shops}.run(t).expect(t, exitDone)
	want := "warning: there is stock at \"Berlin\", which the directory does not have: it cannot be sold\n" +
		"warning: there is stock at \"lyon \", which the directory does not have: it cannot be sold\n"
	if got.stderr != want {
		t.Errorf("got %q, want %q", got.stderr, want)
	}
}

func TestRouteExplain(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t)
	server := "--server=" + p.url
	command{args: []string{"stock", "import", "-", server}, stdin: shopStock}.run(t).expect(t, exitDone)
	command{args: []string{"locations", "apply", "-", server}, stdin: shops}.run(t).expect(t, exitDone)
	explain := func(args ...string) string {
		t.Helper()
		return run(t, append([]string{"route", "explain", server}, args...)...).expect(t, exitDone).stdout
	}
	want := `It would be held (channel web, split lines).

line 1: TEE
  1.  lyon    serves 2
  2.  berlin  candidate
  -   store   not used: none of its zones covers the address

line 2: CAP
  1.  lyon    serves 1
  -   berlin  not used: it has no level of CAP
  -   store   not used: none of its zones covers the address

order of the candidates: the first rule that separates two decides; if none does, the channel's own order
  same_country  lyon: in FR, like the address; berlin: in DE, not FR
  priority      lyon: priority 1; berlin: priority 2
`
	widened := strings.Replace(shops, "[DE, AT, CH]", "[DE, AT, CH, FR]", 1)
	command{args: []string{"locations", "apply", "-", server}, stdin: widened}.run(t).expect(t, exitDone)
	if got := explain("--country=fr", "TEE=2", "CAP"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = `It would be refused (channel web, split lines): insufficient_stock: Insufficient stock
  line 1: TEE: 6 requested, 5 available

line 1: TEE
  1.  store   candidate
  -   berlin  not used: it is not the pickup location, or does not offer pickup
  -   lyon    not used: it is not the pickup location, or does not offer pickup

order of the candidates: the first rule that separates two decides; if none does, the channel's own order
  same_country  abstains: the address has no country
  priority      store: unknown (abstains for those without data: store)
`
	if got := explain("--pickup=store", "TEE=6"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	body := write(t, "request.json", `{"id": "o", "lines": [{"line": "x", "sku": "TEE", "quantity": 1, "location": "moon"}]}`)
	if got := explain("--body", body); !strings.Contains(got, "refused (channel web, split lines): no_location: a line has no location") || !strings.Contains(got, "moon    not used: the directory does not have it") {
		t.Errorf("got\n%s", got)
	}
	got := command{args: []string{"route", "explain", server, "A=b=1", "--format=json"}}.run(t).expect(t, exitDone).document(t)
	if line := got["lines"].([]any)[0].(map[string]any); line["sku"] != "A=b" || got["refusal"].(map[string]any)["code"] != "unknown_stock" {
		t.Errorf("got %v", got)
	}
	for args, said := range map[string]string{
		"":                            "SKU is missing",
		"TEE --body=" + body:          "use either SKUs or --body, not both",
		"TEE --latitude=1":            "--latitude and --longitude must be given together",
		"--body=" + os.DevNull:        "is not JSON",
		"TEE --channel=fair":          `/channel: is "fair", which the directory does not have; there are web`,
		"TEE --country=DE --pickup=x": "/pickup: must not be given together with ship_to",
	} {
		r := run(t, append([]string{"route", "explain", server}, strings.Fields(args)...)...)
		if r.code == exitDone || !strings.Contains(r.stderr, said) {
			t.Errorf("%s: exit %d, %q", args, r.code, r.stderr)
		}
	}
}

// TestDirectoryFile changes the file while the server runs. A file with faults changes nothing.
func TestDirectoryFile(t *testing.T) {
	t.Chdir(t.TempDir())
	file := write(t, "shops.yaml", strings.Replace(shops, "country: FR", "country: France", 1))
	got := run(t, "serve", "--http-listen=127.0.0.1:0", "--directory-file="+file).expect(t, exitRefused)
	if !strings.HasPrefix(lastLine(got.stderr), file+":3:25: /locations/1/country: is \"France\"") {
		t.Errorf("a file with faults: %q", got.stderr)
	}
	if got := run(t, "serve", "--http-listen=127.0.0.1:0", "--directory-file=none.yaml").expect(t, exitFailed); !strings.Contains(got.stderr, "directory.file: open none.yaml: no such file") {
		t.Errorf("no file: %q", got.stderr)
	}
	rewrite(t, file, shops)
	p := start(t, "--directory-file="+file)
	server := "--server=" + p.url
	command{args: []string{"stock", "import", "-", server}, stdin: shopStock}.run(t).expect(t, exitDone)
	routed := func() string {
		return run(t, "route", "explain", "--country=DE", "TEE", server).expect(t, exitDone).stdout
	}
	if got := routed(); !strings.Contains(got, "1.  berlin  serves 1") {
		t.Errorf("got\n%s", got)
	}
	if got := (command{args: []string{"locations", "apply", "-", server}, stdin: shops}).run(t).expect(t, exitRefused); !strings.Contains(got.stderr, "directory_is_file") {
		t.Errorf("applied: %q", got.stderr)
	}
	rewrite(t, file, "channels: [")
	eventually(t, "the fault is logged", func() bool { return strings.Contains(p.logs.String(), file+":1:1: is not YAML") })
	if got := routed(); !strings.Contains(got, "1.  berlin  serves 1") {
		t.Errorf("with faults:\n%s", got)
	}
	rewrite(t, file, strings.Replace(shops, "id: berlin,", "id: berlin, enabled: false,", 1))
	eventually(t, "the change is used", func() bool { return strings.Contains(routed(), "1.  lyon    serves 1") })
	answer, err := http.Get(p.url + "/v1/directory")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Etag") == "" {
		t.Errorf("shown: %d %v", answer.StatusCode, answer.Header)
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// rewrite replaces a file atomically, as an editor or a config map does.
func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until done returns true.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !done(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}
