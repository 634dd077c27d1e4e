package wire

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestKeys checks for each script that Of returns the keys in the order that its header documents.
func TestKeys(t *testing.T) {
	keys := Keys{
		Stock: "stock", Levels: "levels", Reservations: "reservations", Operations: "operations",
		Deadlines: "deadlines", Limits: "limits", Events: "events",
	}
	files, err := filepath.Glob("../../lua/*.lua")
	if err != nil {
		t.Fatal(err)
	}
	documented := regexp.MustCompile(`(?m)^--   KEYS\[\d\]\s+(\w+)`)
	scripts := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, match := range documented.FindAllSubmatch(text, -1) {
			want = append(want, string(match[1]))
		}
		if len(want) == 0 {
			continue // a part of a script
		}
		scripts++
		verb := strings.TrimSuffix(filepath.Base(file), ".lua")
		if got := keys.Of(Verb(verb)); !slices.Equal(got, want) {
			t.Errorf("%s: keys %v, want %v", verb, got, want)
		}
	}
	if scripts < len(Verbs) {
		t.Errorf("only %d scripts found", scripts)
	}
}
