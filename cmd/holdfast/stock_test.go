package main

import (
	"fmt"
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
