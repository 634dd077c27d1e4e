package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCommands checks that only data goes to standard output, and the exit status: 0 done, 1 refused or
// drift, 2 wrong usage or the command could not run.
func TestCommands(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		server := "--server=" + p.url
		file := filepath.Join(t.TempDir(), "stock.csv")
		text := "sku,location,on_hand,safety_stock,backorder_limit\nCAP,berlin,3,0,1\nTEE,berlin,40,2,0\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		expect := func(stdin string, code int, args ...string) string {
			t.Helper()
			got, stdout, stderr := run(t, stdin, append(args, server)...)
			if got != code || (stderr == "") != (code == 0) {
				t.Fatalf("%v: exit %d, want %d\n%s\n%s", args, got, code, stdout, stderr)
			}
			return stdout + stderr
		}
		first := decoded(t, []byte(expect("", 0, "stock", "import", file, "--format=json")))
		if first["set"] != 2.0 || first["already_set"] != 0.0 || first["durable"] != p.durable {
			t.Errorf("%v", first)
		}
		again := decoded(t, []byte(expect(text, 0, "stock", "import", "-", "--format=json")))
		if again["id"] != first["id"] || again["set"] != 0.0 || again["already_set"] != 2.0 || again["applied_at"] != first["applied_at"] {
			t.Errorf("%v, then %v", first, again)
		}
		at, err := time.Parse(time.RFC3339, fmt.Sprint(first["applied_at"]))
		if err != nil {
			t.Fatal(err)
		}
		if said := expect("", 0, "stock", "import", file); !strings.Contains(said, "nothing changed") || !strings.Contains(said, at.Format(time.RFC3339)) {
			t.Errorf("a known id says %q, it was imported at %v", said, at)
		}
		if got := expect("", 0, "stock", "export"); got != text {
			t.Errorf("exported %q", got)
		}
		if got := expect("", 0, "stock", "show", "TEE", "--format=json"); match([]byte(got), `{"sku": "TEE", "levels": [{`+units("TEE", "berlin", [6]int{40, 0, 0, 2, 0, 38})+`}]}`) != nil {
			t.Errorf("shown %s", got)
		}
		p.do(t, "given", hold("ord-1", "TEE", 1))
		if got := expect("", 0, "reservations", "release", "ord-1"); !strings.Contains(got, "ord-1 is released (version 2)") {
			t.Errorf("released: %s", got)
		}
		expect("", 1, "stock", "show", "none")
		expect("", 1, "stock", "adjust", "--sku=CAP", "--location=berlin", "--delta=-4")
		expect("", 2, "stock", "adjust", "--sku=CAP")
		if got := expect("sku,location,on_hand\nCAP,berlin,9\nTEE,berlin,-3\n", 1, "stock", "import", "-"); !strings.HasPrefix(got, "stdin:3:12: on_hand: -3 is below 0") {
			t.Errorf("faults: %q", got)
		}
		p.do(t, "then", stocked("CAP", "berlin", [6]int{3, 0, 0, 0, 1, 4}))
	})
}

// TestCommandsOnManyLevels imports a file that needs several calls, and lists more levels than fit on a page.
func TestCommandsOnManyLevels(t *testing.T) {
	t.Parallel()
	p := start(t)
	var text strings.Builder
	text.WriteString("sku,location,on_hand,safety_stock,backorder_limit\n")
	for i := range 2001 {
		fmt.Fprintf(&text, "M%04d,berlin,%d,0,0\n", i, i)
	}
	code, stdout, stderr := run(t, text.String(), "stock", "import", "-", "--server="+p.url)
	if code != 0 || !strings.Contains(stdout, "2001 levels set") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr = run(t, "", "stock", "export", "--server="+p.url); code != 0 || stdout != text.String() {
		t.Errorf("exit %d, exported %d bytes of %d\n%s", code, len(stdout), text.Len(), stderr)
	}
}
