package main

import (
	"bytes"
	"fmt"
	"testing"
)

func TestTable(t *testing.T) {
	var out bytes.Buffer
	rows := &table{to: &out}
	fmt.Fprint(rows, "id\twhat\tstate\n1\tlong words\topen\n\ta note, longer than any cell\n\tand another\n22\tw\t\n\nend\n")
	rows.flush()
	const want = `id  what        state
1   long words  open
    a note, longer than any cell
    and another
22  w

end
`
	if got := out.String(); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}
