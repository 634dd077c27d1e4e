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
			`/zones/2/postal_codes/0 is "1*0", must be a postal code, such as SW1A 1AA, or its beginning and *, such as SW1*, or a range, such as 90210...99000; ! before it excludes; /zones/2/postal_codes/1 is empty and matches no address: remove it`},
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

// TestValidate_Codes checks which codes and patterns of a zone can match an address.
func TestValidate_Codes(t *testing.T) {
	wrong := func(z Zone, stored bool) string {
		d, text := europe(), ""
		z.ID = "new"
		d.Zones = append(d.Zones, z)
		for _, f := range d.validate(stored) {
			text += strings.TrimPrefix(f.Path, fmt.Sprintf("/zones/%d/", len(d.Zones)-1)) + " "
		}
		return strings.TrimSpace(text)
	}
	for _, code := range []string{
		"10115", "SW1A 1AA", "sw1*", "*", "LV-1050", "LV-*", "90210-1234", "N/A", "KY1-1001", "01 *", "１００", "Ж1",
		"90210...99000", "SE1 *", "00-950", "*",
	} {
		if got := wrong(Zone{PostalCodes: []string{code}}, false); got != "" {
			t.Errorf("%q is refused: %s", code, got)
		}
	}
	for _, code := range []string{
		"99000...90210", "90210..99000", "!BT*", "SW1?", "SW1[A-Z]", "1*0", "**", "*1", "10115,10117", "10115;10117", "90210-99000",
		"99000 - 90210", "1000:2000", "^1", "1$", "1|2", "<1000", "-1", "--", "#", "1--2", "~", "%1", "_1", "", " ", "1\n", "(1)", "1+",
	} {
		if got := wrong(Zone{PostalCodes: []string{code}}, false); got != "postal_codes/0" {
			t.Errorf("%q: %q", code, got)
		}
	}
	for _, c := range []struct {
		zone         Zone
		want, stored string
	}{
		{Zone{PostalCodes: []string{"15119-43943"}, Countries: []string{"ir"}}, "", ""},
		{Zone{PostalCodes: []string{"sw1*", "SW 1*", "SW1"}}, "postal_codes/1", ""},
		{Zone{Countries: []string{"DE", "de", "UK", "D", "Germany", "", "D\u00cb", "ZZ"}},
			"countries/1 countries/2 countries/3 countries/4 countries/5 countries/6 countries/7", ""},
		{Zone{Regions: []string{"BE", "be ", "B*", "!BE", "B?", "A..C", "Provence-Alpes-Côte d'Azur", "Washington, D.C."}},
			"regions/1 regions/2 regions/3 regions/4 regions/5", ""},
		{Zone{PostalCodes: []string{"1\x00"}, Regions: []string{"\xff"}}, "regions/0 postal_codes/0", "regions/0 postal_codes/0"},
	} {
		if got := wrong(c.zone, false); got != c.want {
			t.Errorf("%+v: %s, want %s", c.zone, got, c.want)
		}
		if got := wrong(c.zone, true); got != c.stored {
			t.Errorf("stored %+v: %s, want %s", c.zone, got, c.stored)
		}
	}
}

// TestStored checks that a directory which an earlier version has stored is still used.
func TestStored(t *testing.T) {
	d := europe()
	d.Zones[0].PostalCodes = []string{"SW1?", "!BT*", "99000...90210"}
	if _, err := Compile(d); err == nil {
		t.Error("a pattern that matches nothing was accepted")
	}
	if _, err := Compile(d, Stored()); err != nil {
		t.Error(err)
	}
}

// TestCountries compares the countries with those of ISO 3166-1, and XK.
func TestCountries(t *testing.T) {
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if IsCountry(string([]rune{a, b})) {
				n++
			}
		}
	}
	if n != 250 {
		t.Errorf("%d countries", n)
	}
	for _, code := range []string{"DE", "gb", "Xk", "AQ", "SS", "CW"} {
		if !IsCountry(code) {
			t.Errorf("%s is refused", code)
		}
	}
	for _, code := range []string{"", "D", "UK", "EU", "EL", "ZZ", "XX", "AN", "SU", "DEU", "12", "D ", "ı", "ıt", "ß"} {
		if IsCountry(code) {
			t.Errorf("%q is accepted", code)
		}
	}
}
