package acceptance

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// TestExample runs examples/checkout-http twice. The second run repeats every call of the first.
func TestExample(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, run := range []struct{ name, want string }{
		{"first", `stock: 3 available
ord-1: held
ord-1 again: held
ord-1: confirmed
ord-2: insufficient_stock, 1 available
ord-3: held
ord-3: payment declined, released
stock: 1 available
`},
		{"repeated", `stock: 1 available
ord-1: confirmed
ord-1 again: confirmed
ord-1: confirmed
ord-2: insufficient_stock, 1 available
ord-3: released
ord-3: payment declined, released
stock: 1 available
`},
	} {
		c := exec.CommandContext(t.Context(), "sh", "../../examples/checkout-http/checkout.sh")
		c.Env = append(os.Environ(), "HOLDFAST_URL="+p.url, "RUN=1")
		var out, wrong bytes.Buffer
		c.Stdout, c.Stderr = &out, &wrong
		if err := c.Run(); err != nil {
			t.Fatalf("%s: %v: %s", run.name, err, wrong.String())
		}
		if out.String() != run.want {
			t.Errorf("%s: got\n%s\nwant\n%s", run.name, out.String(), run.want)
		}
	}
}
