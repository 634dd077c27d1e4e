package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clock returns a time that has passed by Redis's clock, which is also this machine's.
func clock(t *testing.T) string {
	t.Helper()
	now := time.Now().Truncate(time.Millisecond)
	await(t, "a later moment", func() bool { return time.Since(now) > 2*time.Millisecond })
	return now.UTC().Format(timeLayout)
}

// TestCountAsOf sends a count of ten after three units were sold and two of them have left.
func TestCountAsOf(t *testing.T) {
	count := func(id, asOf string, onHand int, more string) step {
		return put("/v1/stock/A/berlin", fmt.Sprintf(`{"id": "%s", "on_hand": %d, "as_of": "%s"%s}`, id, onHand, asOf, more))
	}
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "given", level("A", "berlin", 10))
		p.do(t, "given", hold("o", "A", 3))
		p.do(t, "given", transition("confirm", "o", ""))
		when := clock(t)
		p.do(t, "given", transition("fulfill", "o", `{"version": 2, "lines": [{"line": "1", "quantity": 2}]}`))
		eight := [6]int{8, 0, 1, 0, 0, 7}
		p.do(t, "when", count("c", when, 10, "").is(200, changed("A", eight)).with("Idempotent-Replay", ""))
		p.do(t, "then", stocked("A", "berlin", eight))
		p.do(t, "again", count("c", when, 10, "").is(200, changed("A", eight)).replayed())
		p.do(t, "with another offset", count("c", strings.Replace(when, "Z", "+00:00", 1), 10, "").is(200, changed("A", eight)).replayed())
		p.do(t, "as of another time", count("c", clock(t), 10, "").refused(409, "id_conflict", ""))
		p.do(t, "under another id", count("d", when, 10, "").is(200, changed("A", eight)))
		p.do(t, "with a stale if_on_hand", count("e", when, 10, `, "if_on_hand": 10`).refused(409, "version_conflict", `"on_hand": 8, "sku": "A", "location": "berlin"`))
		p.do(t, "with if_on_hand", count("e", when, 9, `, "if_on_hand": 8`).is(200, changed("A", [6]int{7, 0, 1, 0, 0, 6})))
		p.do(t, "less than has left since", count("f", when, 1, "").refused(409, "insufficient_stock", `"shortages": [{"sku": "A", "requested": 2, "available": 1}]`))
		both := `{"sku": "B", "location": "berlin", "on_hand": 5}, {"sku": "A", "location": "berlin", "on_hand": 2, "safety_stock": 0}`
		p.do(t, "many", post("/v1/stock/counts", `{"id": "g", "as_of": "`+when+`", "counts": [`+both+`]}`).is(200, strings.Replace(
			counted("g", units("B", "berlin", [6]int{5, 0, 0, 0, 0, 5}), units("A", "berlin", [6]int{0, 0, 1, 0, 0, -1})), `"available": -1`,
			`"available": -1, "shortfall": 1, "short_reservations": [{"id": "o", "quantity": 1}]`, 1)))
		later, four := clock(t), [6]int{4, 0, 1, 0, 0, 3}
		kept := strings.TrimSuffix(changed("A", four), "}") + fmt.Sprintf(`, "in_force": {"id": "h", "as_of": "%s"}}`, later)
		p.do(t, "as of a later moment", count("h", later, 4, "").is(200, changed("A", four)))
		p.do(t, "as of an earlier moment", count("i", when, 9, "").is(200, kept))
		p.do(t, "the same again", count("i", when, 9, "").is(200, kept).replayed())
	})
}

// TestImportAsOf imports an earlier count. Units that have left since stay away, and a second import of the
// same file changes nothing.
func TestImportAsOf(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "given", level("A", "berlin", 10))
		p.do(t, "given", hold("o", "A", 3))
		p.do(t, "given", transition("confirm", "o", ""))
		when := clock(t)
		p.do(t, "given", transition("fulfill", "o", ""))
		path := filepath.Join(t.TempDir(), "stock.csv")
		if err := os.WriteFile(path, []byte("sku,location,on_hand\nA,berlin,10\nB,lyon,4\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		load := func(more ...string) (int, string) {
			code, stdout, stderr := run(t, "", append([]string{"stock", "import", path, "--server", p.url}, more...)...)
			return code, stdout + stderr
		}
		code, text := load("--as-of", when)
		if code != 0 || !strings.Contains(text, "2 levels set") {
			t.Fatalf("exit %d: %s", code, text)
		}
		p.do(t, "then", stocked("A", "berlin", [6]int{7, 0, 0, 0, 0, 7}))
		p.do(t, "then", stocked("B", "lyon", [6]int{4, 0, 0, 0, 0, 4}))
		for _, asOf := range []string{when, strings.Replace(when, "Z", "+00:00", 1)} {
			if code, text := load("--as-of", asOf); code != 0 || !strings.Contains(text, "nothing changed: this import of 2 levels was made at 20") {
				t.Errorf("again: exit %d: %s", code, text)
			}
		}
		if code, text := load("--as-of", "yesterday"); code != 2 || !strings.Contains(text, "--as-of") {
			t.Errorf("no time: exit %d: %s", code, text)
		}
		if code, text := load("--as-of", "2020-11-20T06:00:00Z"); code != 1 || !strings.Contains(text, "/as_of: is older than what the ledger keeps") {
			t.Errorf("too old: exit %d: %s", code, text)
		}
		p.do(t, "then", stocked("A", "berlin", [6]int{7, 0, 0, 0, 0, 7}))
		if code, text := load(); code != 0 || !strings.Contains(text, "2 levels set") {
			t.Errorf("as of now is another import: exit %d: %s", code, text)
		}
		p.do(t, "then", stocked("A", "berlin", [6]int{10, 0, 0, 0, 0, 10}))
		if err := os.WriteFile(path, []byte("sku,location,on_hand\nA,berlin,50\nC,lyon,4\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, text = load("--as-of", when)
		if code != 0 || !strings.Contains(text, "1 levels set") || !strings.Contains(text, "A at berlin keeps its on hand: the count ") || strings.Contains(text, "C at lyon") {
			t.Errorf("a late file: exit %d: %s", code, text)
		}
		p.do(t, "then", stocked("A", "berlin", [6]int{10, 0, 0, 0, 0, 10}))
	})
}
