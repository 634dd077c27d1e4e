package loadtest

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBooks has the final check and the verdict see what is wrong. They run in Node, where there is
// one: k6 has no use for them without a server.
func TestBooks(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node to run them: apt-get install nodejs")
	}
	report := strings.Replace(read(t, "lib/report.js"), "import { states } from './books.js';\n", "", 1)
	cmd := exec.Command(node, "--input-type=module")
	cmd.Stdin = strings.NewReader(read(t, "lib/books.js") + report + read(t, "testdata/books_test.js"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
