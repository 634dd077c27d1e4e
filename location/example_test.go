package location_test

import (
	"fmt"

	"github.com/holdfast/holdfast/location"
)

// directory returns three locations in Europe and a channel that prefers the country of the
// address.
func directory() location.Directory {
	return location.Directory{
		Locations: []location.Location{
			{ID: "berlin", Country: "DE", Zones: []string{"dach"}},
			{ID: "vienna", Country: "AT", Zones: []string{"dach"}},
			{ID: "lyon", Country: "FR", Zones: []string{"france"}},
		},
		Zones: []location.Zone{
			{ID: "dach", Countries: []string{"DE", "AT", "CH"}},
			{ID: "france", Countries: []string{"FR"}},
		},
		Channels: []location.SalesChannel{{
			ID: "web", Default: true, Locations: []location.ID{"berlin", "vienna", "lyon"},
			Rank: []location.Rank{location.RankSameCountry, location.RankNearest},
		}},
	}
}

func ExampleRoute() {
	rules, err := location.Compile(directory())
	if err != nil {
		fmt.Println(err)
		return
	}
	routing, err := location.Route(rules, location.Request{ShipTo: &location.Address{Country: "AT"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(routing.Candidates("").IDs)
	// Output: [vienna berlin]
}

func ExampleRouting_Explain() {
	rules, _ := location.Compile(directory())
	routing, _ := location.Route(rules, location.Request{ShipTo: &location.Address{Country: "AT"}})
	hasLevel := func(id location.ID) bool { return id != "vienna" }
	for _, r := range routing.Explain("1", "", hasLevel, nil) {
		fmt.Println(r.Location, r.Reason)
	}
	// Output:
	// vienna no_level
	// lyon zone
}

func ExampleCompile_invalid() {
	d := directory()
	d.Locations[0].Country = "Germany"
	d.Channels[0].Locations = nil
	_, err := location.Compile(d)
	if invalid, ok := err.(*location.InvalidError); ok {
		for _, f := range invalid.Faults {
			fmt.Println(f.Path, f.Message)
		}
	}
	// Output:
	// /locations/0/country is "Germany", must be two letters of ISO 3166-1, such as DE
	// /channels/0/locations is required: a channel sells from at least one location
}
