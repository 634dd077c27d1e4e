package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// sheet returns a CSV file of n rows.
func sheet(n int) string {
	var text strings.Builder
	text.WriteString("sku,location,on_hand,safety_stock,backorder_limit\n")
	for i := range n {
		fmt.Fprintf(&text, "SKU-%06d,berlin,%d,1,0\n", i, i)
	}
	return text.String()
}

func TestStockImport(t *testing.T) {
	w := newWarehouse(t)
	path := write(t, "stock.csv", sheet(1001))
	first := run(t, "stock", "import", path, "--server", w.url, "--id", "count-1").expect(t, exitDone)
	if want := path + ": 1001 levels set\nimport count-1\n"; first.stdout != want || first.stderr != "" {
		t.Errorf("got %+v, want %q", first, want)
	}
	if want := []string{"count-1:1", "count-1:2", "count-1:3"}; !slices.Equal(w.ids, want) {
		t.Errorf("operations %v, want %v", w.ids, want)
	}
	if len(w.levels) != 1001 || w.levels[[2]string{"SKU-001000", "berlin"}].OnHand != 1000 {
		t.Errorf("%d levels", len(w.levels))
	}

	again := run(t, "stock", "import", path, "--server", w.url, "--id", "count-1").expect(t, exitDone)
	if !strings.Contains(again.stdout, "nothing changed: this import of 1001 levels was made at 2026-11-20T18:03:00Z") || len(w.ids) != 3 {
		t.Errorf("got %+v after operations %v", again, w.ids)
	}
}

func TestStockImportDefaultID(t *testing.T) {
	w := newWarehouse(t)
	text := sheet(3)
	byName := run(t, "stock", "import", write(t, "a.csv", text), "--server", w.url, "--format=json").expect(t, exitDone).document(t)
	if id, _ := byName["id"].(string); len(id) != 64 || byName["set"] != 3.0 || byName["already_set"] != 0.0 {
		t.Errorf("got %v", byName)
	}
	byPipe := command{args: []string{"stock", "import", "-", "--server", w.url, "--format=json"}, stdin: text}.
		run(t).expect(t, exitDone).document(t)
	if byPipe["id"] != byName["id"] || byPipe["set"] != 0.0 || byPipe["already_set"] != 3.0 || byPipe["file"] != "stdin" || byPipe["applied_at"] != "2026-11-20T18:01:00Z" {
		t.Errorf("got %v", byPipe)
	}
}

func TestStockImportContinues(t *testing.T) {
	w := newWarehouse(t)
	path := write(t, "stock.csv", sheet(2500))
	w.fail = func(id string) bool { return id == "x:2" }
	stopped := run(t, "stock", "import", path, "--server", w.url, "--id=x").expect(t, exitFailed)
	want := path + ": lines 502 to 1001: internal: the fake fails\n500 of 2500 rows are set: run the same command again to continue"
	if !strings.Contains(stopped.stderr, want) || stopped.stdout != "" {
		t.Errorf("got %+v, want %q", stopped, want)
	}
	w.fail = func(string) bool { return false }
	rest := run(t, "stock", "import", path, "--server", w.url, "--id=x").expect(t, exitDone)
	if !strings.Contains(rest.stdout, "2000 levels set; 500 were set by an earlier run") || len(w.levels) != 2500 {
		t.Errorf("got %+v and %d levels", rest, len(w.levels))
	}
}

// TestStockImportAsOfFuture checks that a refused import does not tell the user to repeat it.
func TestStockImportAsOfFuture(t *testing.T) {
	w := newWarehouse(t)
	path := write(t, "stock.csv", sheet(3))
	refused := run(t, "stock", "import", path, "--server", w.url, "--as-of=2101-01-01T00:00:00Z").expect(t, exitRefused)
	want := path + ": lines 2 to 4: invalid_request: invalid request: /as_of: is in the future\n" +
		"0 of 3 rows are set: correct the file or the flags, then run the command again\n"
	if !strings.HasSuffix(refused.stderr, want) || len(w.levels) != 0 {
		t.Errorf("got %q, want %q", refused.stderr, want)
	}
}

func TestStockImportIDConflict(t *testing.T) {
	w := newWarehouse(t)
	run(t, "stock", "import", write(t, "a.csv", sheet(2)), "--server", w.url, "--id=x").expect(t, exitDone)
	got := run(t, "stock", "import", write(t, "b.csv", sheet(3)), "--server", w.url, "--id=x").expect(t, exitRefused)
	if !strings.Contains(got.stderr, "use another --id") || len(w.levels) != 2 {
		t.Errorf("got %+v", got)
	}
	got = run(t, "stock", "import", write(t, "a.csv", sheet(2)), "--server", w.url, "--id=x", "--as-of", "2026-11-20T06:00:00Z").expect(t, exitRefused)
	if !strings.Contains(got.stderr, "was made before with other rows, --as-of, --reason or --actor") {
		t.Errorf("got %+v", got)
	}
}

func TestStockImportFaults(t *testing.T) {
	w := newWarehouse(t)
	path := write(t, "stock.csv", sheet(1500)+"SKU-000007,berlin,1,,\nX,berlin,-3,,\n")
	want := path + ":1502:1: sku: SKU-000007 at berlin is already on line 9\n" +
		path + ":1503:10: on_hand: -3 is below 0\n"
	got := run(t, "stock", "import", path, "--server", w.url).expect(t, exitRefused)
	if got.stderr != want || len(w.ids) != 0 {
		t.Errorf("got %+v after operations %v, want %q", got, w.ids, want)
	}
	list := run(t, "stock", "import", path, "--server", w.url, "--format=json").expect(t, exitRefused).document(t)
	if faults, _ := list["faults"].([]any); len(faults) != 2 || list["more"] != 0.0 {
		t.Errorf("got %v", list)
	}
}

// TestStockImportChangedFile changes the file after the first chunk was sent.
func TestStockImportChangedFile(t *testing.T) {
	for name, c := range map[string]struct{ from, to string }{
		"in a value":  {"SKU-049999,berlin,49999,", "SKU-049999,berlin,40000,"},
		"with faults": {"SKU-049999,berlin,49999,", "SKU-049999,berlin,x9999,"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWarehouse(t)
			path := write(t, "stock.csv", sheet(50000))
			w.fail = func(string) bool {
				w.fail = func(string) bool { return false }
				changed := strings.Replace(sheet(50000), c.from, c.to, 1)
				if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
					t.Error(err)
				}
				return false
			}
			got := run(t, "stock", "import", path, "--server", w.url).expect(t, exitFailed)
			if !strings.Contains(got.stderr, "changed during the import") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestStockImportInterrupted(t *testing.T) {
	w := newWarehouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.fail = func(id string) bool {
		if id == "x:2" {
			cancel()
		}
		return false
	}
	var stderr bytes.Buffer
	m := &Main{
		Args:   []string{"stock", "import", write(t, "stock.csv", sheet(5000)), "--server", w.url, "--id=x"},
		Stdout: io.Discard, Stderr: &stderr,
	}
	if code := m.Run(ctx); code != exitFailed || !strings.Contains(stderr.String(), "of 5000 rows: run the same command again to continue") {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
}

// TestStockImportAsOf checks that --as-of is part of the default id, in whatever zone it is written.
func TestStockImportAsOf(t *testing.T) {
	w := newWarehouse(t)
	path := write(t, "stock.csv", sheet(2))
	load := func(args ...string) map[string]any {
		return run(t, append([]string{"stock", "import", path, "--server", w.url, "--format=json"}, args...)...).expect(t, exitDone).document(t)
	}
	now := load()
	then := load("--as-of", "2026-11-20T06:00:00Z")
	again := load("--as-of", "2026-11-20T07:00:00+01:00")
	if then["id"] == now["id"] || then["set"] != 2.0 || then["as_of"] != "2026-11-20T06:00:00Z" || now["as_of"] != nil {
		t.Errorf("got %v, then %v", now, then)
	}
	if again["id"] != then["id"] || again["already_set"] != 2.0 {
		t.Errorf("again got %v", again)
	}
	if body := w.done[fmt.Sprint(then["id"], ":1")].body; !strings.Contains(body, `"as_of":"2026-11-20T06:00:00Z"`) {
		t.Errorf("sent %s", body)
	}
	got := run(t, "stock", "import", path, "--server", w.url, "--as-of", "today").expect(t, exitFailed)
	if !strings.Contains(got.stderr, `--as-of is "today": use a time such as 2026-11-20T06:00:00Z`) {
		t.Errorf("got %+v", got)
	}
}
