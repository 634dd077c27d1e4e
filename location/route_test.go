package location

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRoute(t *testing.T) {
	d := Directory{Locations: []ID{"berlin", "lyon", "oslo"}}
	for _, c := range []struct {
		name   string
		pickup ID
		pin    ID
		want   string
	}{
		{"all, in order", "", "", "[berlin lyon oslo]"},
		{"a pin", "", "lyon", "[lyon]"},
		{"a pin nobody knows", "", "mars", "[]"},
		{"pickup", "oslo", "", "[oslo]"},
		{"pickup where it is pinned", "oslo", "oslo", "[oslo]"},
		{"pickup elsewhere than pinned", "oslo", "lyon", "[]"},
	} {
		got := Route(d, Request{Pickup: c.pickup}, Line{Line: "1", SKU: "TEE", Pin: c.pin})
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// TestExplain has every location either a candidate with a level, or left out with one reason.
func TestExplain(t *testing.T) {
	all := []ID{"berlin", "lyon", "oslo"}
	rapid.Check(t, func(t *rapid.T) {
		d := Directory{Locations: all}
		maybe := rapid.SampledFrom([]ID{"", "berlin", "lyon", "mars"})
		line := Line{Line: "1", SKU: "TEE", Pin: maybe.Draw(t, "pin")}
		r := Request{Pickup: maybe.Draw(t, "pickup")}
		has := map[ID]bool{}
		for _, id := range all {
			has[id] = rapid.Bool().Draw(t, string(id))
		}
		rejected := map[ID]Reason{}
		for _, x := range Explain(d, r, line, has) {
			if rejected[x.Location] != "" || x.Line != "1" {
				t.Fatalf("%+v twice, or of another line", x)
			}
			rejected[x.Location] = x.Reason
		}
		candidates := Route(d, r, line)
		for _, id := range all {
			served := slices.Contains(candidates, id) && has[id]
			if served == (rejected[id] != "") {
				t.Fatalf("%s: candidate %t, rejected %q", id, served, rejected[id])
			}
		}
		for _, id := range []ID{line.Pin, r.Pickup} {
			if id == "mars" && rejected[id] != ReasonUnknownLocation {
				t.Fatalf("mars: %q", rejected[id])
			}
		}
	})
}

func ExampleRoute() {
	d := Directory{Locations: []ID{"berlin", "lyon"}}
	fmt.Println(Route(d, Request{}, Line{Line: "1", SKU: "TEE-M"}))
	fmt.Println(Route(d, Request{}, Line{Line: "2", SKU: "CAP", Pin: "lyon"}))
	// Output:
	// [berlin lyon]
	// [lyon]
}
