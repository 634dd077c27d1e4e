package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shortAnswer is a level that is short by five units. named are the sales in the answer.
func shortAnswer(named string) string {
	return `{"sku":"TEE-M","location":"berlin","on_hand":4,"available":-5,"shortfall":5,"short_reservations":[` + named + `],"durable":true}`
}

func TestPrintShort(t *testing.T) {
	const both = `{"id":"ord-2","quantity":2},{"id":"ord-1","order":"5512","quantity":3}`
	adjust := []string{"stock", "adjust", "--sku=TEE-M", "--location=berlin", "--delta=-5", "--id=a"}
	imports := []string{"stock", "import", write(t, "a.csv", "sku,location,on_hand\nTEE-M,berlin,4\n"), "--id=a"}
	for name, c := range map[string]struct {
		args   []string
		answer string
		want   string
	}{
		"adjust": {adjust, shortAnswer(both), "TEE-M at berlin: short by 5 units; newest sales: ord-2 (2), ord-1 (3)\n"},
		"adjust, not all named": {adjust, shortAnswer(`{"id":"ord-2","quantity":2}`),
			"ord-2 (2); list all with: holdfast reservations list --state confirmed --sku TEE-M --location berlin\n"},
		"adjust, none named": {adjust, shortAnswer(""), "short by 5 units; list all with: holdfast reservations list"},
		"import":             {imports, `{"durable":true,"levels":[` + shortAnswer(both) + `]}`, ": 1 levels set\nTEE-M at berlin: short by 5 units; newest sales: ord-2 (2), ord-1 (3)\nimport a\n"},
		"import of enough":   {imports, `{"durable":true,"levels":[{"sku":"TEE-M","location":"berlin"}]}`, ": 1 levels set\nimport a\n"},
	} {
		t.Run(name, func(t *testing.T) {
			server := respond(t, 200, "application/json", c.answer)
			got := run(t, append(c.args, "--server", server)...).expect(t, exitDone)
			if !strings.Contains(got.stdout, c.want) {
				t.Errorf("got\n%s\nwant\n%s", got.stdout, c.want)
			}
		})
	}
	server := respond(t, 200, "application/json", `{"durable":true,"levels":[`+shortAnswer(both)+`]}`)
	got := run(t, append(imports, "--server", server, "--format=json")...).expect(t, exitDone).document(t)
	if want := "[map[location:berlin short_reservations:[map[id:ord-2 quantity:2] map[id:ord-1 order:5512 quantity:3]] shortfall:5 sku:TEE-M]]"; fmt.Sprint(got["short"]) != want {
		t.Errorf("got %v", got)
	}
	many := strings.TrimSuffix(strings.Repeat(shortAnswer("")+",", shortLevelsMax+2), ",")
	server = respond(t, 200, "application/json", `{"durable":true,"levels":[`+many+`]}`)
	cut := run(t, append(imports, "--server", server)...).expect(t, exitDone)
	if lines := strings.Count(cut.stdout, "\n"); lines != shortLevelsMax+3 || !strings.Contains(cut.stdout, "\n2 more levels are short\n") {
		t.Errorf("%d lines: %s", lines, cut.stdout)
	}
}

func TestStockExport(t *testing.T) {
	w := newWarehouse(t)
	text := sheet(1200) + "\"T,\"\"x\"\"\",lyon,5,0,7\n"
	run(t, "stock", "import", write(t, "in.csv", text), "--server", w.url).expect(t, exitDone)

	t.Run("inverse of import", func(t *testing.T) {
		if got := run(t, "stock", "export", "--server", w.url).expect(t, exitDone); got.stdout != text {
			t.Errorf("it differs: %d bytes, want %d", len(got.stdout), len(text))
		}
		if slices.ContainsFunc(w.limits, func(l string) bool { return l != "500" }) || len(w.limits) != 3 {
			t.Errorf("pages of %v", w.limits)
		}
	})
	t.Run("to a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "out.csv")
		got := run(t, "stock", "export", "--server", w.url, "-o", path).expect(t, exitDone)
		if written, err := os.ReadFile(path); err != nil || string(written) != text || got.stdout != "" {
			t.Errorf("%d bytes, %v, stdout %q", len(written), err, got.stdout)
		}
	})
	t.Run("JSON", func(t *testing.T) {
		got := run(t, "stock", "export", "--server", w.url, "--format=json").expect(t, exitDone).document(t)
		if levels, _ := got["levels"].([]any); len(levels) != 1201 {
			t.Errorf("%d levels", len(levels))
		}
	})
	t.Run("no levels", func(t *testing.T) {
		empty := newWarehouse(t)
		got := run(t, "stock", "export", "--server", empty.url).expect(t, exitDone)
		if got.stdout != "sku,location,on_hand,safety_stock,backorder_limit\n" {
			t.Errorf("got %q", got.stdout)
		}
		list := run(t, "stock", "export", "--server", empty.url, "--format=json").expect(t, exitDone).document(t)
		if levels, ok := list["levels"].([]any); !ok || len(levels) != 0 {
			t.Errorf("got %v", list)
		}
	})
	t.Run("two at once to one file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "out.csv")
		into := func(first, last string, between func() error) error {
			return writeWhole(path, 0o666, func(w io.Writer) error {
				_, err := io.WriteString(w, first)
				err = errors.Join(err, between())
				_, more := io.WriteString(w, last)
				return errors.Join(err, more)
			})
		}
		err := into("one\n", "one more\n", func() error {
			return into("another, and it is longer\n", "another\n", func() error { return nil })
		})
		if text, reading := os.ReadFile(path); err != nil || reading != nil || string(text) != "one\none more\n" {
			t.Errorf("%q, %v, %v", text, err, reading)
		}
	})
	t.Run("to a link", func(t *testing.T) {
		path := write(t, "out.csv", "old")
		link := filepath.Join(t.TempDir(), "link.csv")
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		run(t, "stock", "export", "--server", newWarehouse(t).url, "-o", link).expect(t, exitDone)
		if text, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(text), "sku,location,") {
			t.Errorf("got %q, %v", text, err)
		}
	})
	t.Run("failure keeps the old file", func(t *testing.T) {
		path := write(t, "out.csv", "old")
		run(t, "stock", "export", "--server", "http://127.0.0.1:1", "-o", path).expect(t, exitFailed)
		if text, err := os.ReadFile(path); err != nil || string(text) != "old" {
			t.Errorf("got %q, %v", text, err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}
