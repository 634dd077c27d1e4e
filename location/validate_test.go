package location

import (
	"fmt"
	"strings"
	"testing"
)

// TestValidate checks the path and the message of every kind of fault.
func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Directory)
		want   string
	}{
		{"nothing", func(*Directory) {}, ""},
		{"empty", func(d *Directory) { *d = Directory{} }, "/locations is required: add at least one location; /channels is required: add at least one channel"},
		{"ids", func(d *Directory) { d.Locations[1].ID, d.Zones[3].ID, d.Channels[2].ID = "berlin", "", "a{b}" },
			`/locations/1/id is "berlin", which /locations/0 already has; /locations/2/zones/0 names "all", which is not one of the zones; ` +
				`/zones/3/id is required; /channels/2/id must not contain { or }; ` +
				`/channels/0/locations/2 names "lyon", which is not one of the locations; /channels/2/locations/2 names "lyon", which is not one of the locations`},
		{"positions", func(d *Directory) { d.Locations[0].Latitude, d.Locations[1].Longitude = number(91), nil },
			"/locations/0/latitude must be from -90 to 90 degrees; /locations/1 needs both latitude and longitude, or neither"},
		{"countries", func(d *Directory) { d.Locations[0].Country, d.Zones[0].Countries[1] = "Germany", "UK" },
			`/locations/0/country is "Germany", must be two letters of ISO 3166-1, such as DE; /zones/0/countries/1 is "UK", must be two letters of ISO 3166-1, such as DE`},
		{"codes", func(d *Directory) { d.Zones[2].PostalCodes = []string{"1*0", " "} },
			`/zones/2/postal_codes/0 is "1*0": * is allowed only at the end; /zones/2/postal_codes/1 is empty and matches no address: remove it`},
		{"channels", func(d *Directory) {
			d.Channels[1] = SalesChannel{ID: "shop", Default: true, Rank: []Rank{"near", RankCost, RankCost}, Split: "half"}
			d.Channels[2].Locations[1] = "oslo"
		}, `/channels/1/locations is required: a channel sells from at least one location; /channels/1/rank/0 is "near", must be same_country, nearest, priority, cost or highest_stock; ` +
			`/channels/1/rank/2 names "cost" a second time; /channels/1/split is "half", must be never, lines or units; ` +
			`/channels/1/default is true, but /channels/0 is already the default: only one channel can be; /channels/2/locations/1 names "oslo" a second time`},
		{"limits", func(d *Directory) {
			d.Limits = []Limit{{ID: "drop", Channels: []Channel{"app"}, SKUs: []SKU{"TEE", "TEE", ""}}}
		}, `/limits/0/channels/0 names "app", which is not one of the channels; /limits/0/skus/1 names "TEE" a second time; ` +
			`/limits/0/skus/2 is required; /limits/0/per_customer must be from 1 to 2147483647`},
		{"kits", func(d *Directory) {
			d.Kits = []Kit{{SKU: "GIFT"}, {SKU: "BOX", Components: []Component{{"GIFT", 1}, {"CAP", 0}, {"CAP", 1}}}}
		}, `/kits/0/components has 0 components, must have from 1 to 20; /kits/1/components/0/sku is "GIFT", which is itself a kit: list its components instead; ` +
			`/kits/1/components/1/quantity must be from 1 to 2147483647; /kits/1/components/2/sku names "CAP" a second time`},
		{"too many", func(d *Directory) { d.Locations = make([]Location, LocationsMax+1) }, "/locations has 1001 entries, at most 1000 are allowed"},
	} {
		d := europe()
		c.change(&d)
		var got []string
		for _, f := range d.Validate() {
			got = append(got, fmt.Sprintf("%s %s", f.Path, f.Message))
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, text, c.want)
		}
	}
}
