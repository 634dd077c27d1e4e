package loadtest

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBooks checks that the final check and the verdict find each kind of fault. It runs them in Node if that
// is installed: k6 would need a server.
func TestBooks(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node: apt-get install nodejs")
	}
	report := strings.Replace(read(t, "lib/report.js"), "import { states } from './books.js';\n", "", 1)
	cmd := exec.Command(node, "--input-type=module")
	cmd.Stdin = strings.NewReader(read(t, "lib/books.js") + report + read(t, "testdata/books_test.js"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
