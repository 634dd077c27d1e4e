package directoryfile

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/location"
)

// example uses every field of a directory.
const example = `
locations:
  - {id: berlin, name: Berlin, enabled: true, priority: 10, cost: 4, country: DE, latitude: 52.52, longitude: 13.40, pickup: true, zones: [dach]}
  - {id: 007, country: NO, enabled: false, zones: [all]}
zones:
  - {id: dach, countries: [DE, AT, CH], regions: [], postal_codes: [01067, 1e5, "10*"]}     # comments are fine
  - {id: all}
channels:
  - {id: web, default: true, locations: [berlin, 007], rank: [same_country, nearest, priority, cost, highest_stock], split: lines}
campaigns:
  - {id: drop-2026-11, starts_at: 2026-11-27T10:00:00.000Z, ends_at: "2026-11-27T12:00:00+01:00", total: 100, per_customer: 2, channels: [web], skus: [TEE-M]}
kits:
  - {sku: GIFT-SET, components: [{sku: TEE-M, quantity: 2}, {sku: CAP, quantity: 1}]}
`

// TestDecode checks that text stays text, even if YAML would read it as a number or a boolean.
func TestDecode(t *testing.T) {
	d, err := Decode("", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if d.Locations[1].ID != "007" || d.Locations[1].Country != "NO" || *d.Locations[1].Enabled {
		t.Errorf("%+v", d.Locations[1])
	}
	if got := fmt.Sprint(d.Zones[0].PostalCodes); got != "[01067 1e5 10*]" {
		t.Errorf("postal codes %s", got)
	}
	if c := d.Campaigns[0]; *c.PerCustomer != 2 || *c.Total != 100 || c.StartsAt != "2026-11-27T10:00:00.000Z" {
		t.Errorf("%+v", c)
	}
	if d.Kits[0].Components[0] != (location.Component{SKU: "TEE-M", Quantity: 2}) {
		t.Errorf("%+v", d.Kits)
	}
}

// TestEncode checks that Decode reads back the same directory.
func TestEncode(t *testing.T) {
	d, err := Decode("", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	text, err := Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode("", text)
	if err != nil || !reflect.DeepEqual(d, again) {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestDecode_Faults checks that all faults of a file are reported, in the order of its lines.
func TestDecode_Faults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "1:1: is empty: a directory needs locations and channels"},
		{"only a comment", "# later\n", "1:1: is empty: a directory needs locations and channels"},
		{"no YAML", "locations: [\n", "1:1: is not YAML: did not find expected node content"},
		{"two documents", "locations: []\n---\nlocations: []\n", "2:1: starts a second document: a file must have only one"},
		{"a list", "- a\n", "1:1: must have fields: locations, zones, channels, campaigns, limits, kits"},
		{"types", "locations:\n  - {id: a, enabled: yes, cost: low}\nchannels: web\n", "2:22: /locations/0/enabled: is \"yes\", must be true or false\n" +
			"2:33: /locations/0/cost: is \"low\", must be a number\n3:11: /channels: must be a list"},
		{"unknown and double fields", "locations:\n  - {id: a, colour: red}\nlocations: []\n",
			"2:13: /locations/0: has no field \"colour\"; there are id, name, enabled, priority, cost, country, latitude, longitude, pickup, zones\n" +
				"3:1: /locations: is set twice"},
		{"aliases", "locations: &a []\nchannels: *a\n", "1:12: /locations: has an anchor or alias, which is not supported: repeat the value\n" +
			"2:11: /channels: has an anchor or alias, which is not supported: repeat the value"},
		{"rules", "locations:\n  - id: a\n    country: Germany\n    zones: [dach]\nchannels:\n  - id: web\n    locations: [b]\n",
			"3:14: /locations/0/country: is \"Germany\", must be two letters of ISO 3166-1, such as DE\n" +
				"4:13: /locations/0/zones/0: names \"dach\", which is not one of the zones\n" +
				"7:17: /channels/0/locations/0: names \"b\", which is not one of the locations"},
		{"campaigns", "locations: [{id: a}]\nchannels: [{id: web, locations: [a]}]\ncampaigns:\n  - {id: c, starts_at: 10:00, total: 0}\n" +
			"  - {id: d, starts_at: 2026-11-27T10:00:00Z, ends_at: 2026-11-27T10:00:00.000Z}\nlimits: [{id: l, per_customer: 1}]\n",
			"4:24: /campaigns/0/starts_at: is \"10:00\", must be a time of RFC 3339, such as 2026-11-27T10:00:00.000Z\n" +
				"4:38: /campaigns/0/total: must be from 1 to 2147483647\n" +
				"5:55: /campaigns/1/ends_at: is \"2026-11-27T10:00:00.000Z\", must be after starts_at\n" +
				"6:9: /limits: must not be given together with campaigns: move its entries to campaigns"},
		{"limits", "locations: [{id: a}]\nchannels: [{id: web, locations: [a]}]\nlimits: [{id: l, per_customer: 0}]\n",
			"3:32: /limits/0/per_customer: must be from 1 to 2147483647"},
		{"what is missing", "locations:\n  - {name: a}\n", "1:1: /channels: is required: add at least one channel\n2:5: /locations/0/id: is required"},
	} {
		_, err := Decode("", []byte(c.text))
		wrong, ok := errors.AsType[*Error](err)
		if !ok || wrong.Error() != c.want {
			t.Errorf("%s:\n%v\nwant:\n%s", c.name, err, c.want)
		}
	}
}

// TestDecode_TooLarge checks that a large file is refused before it is parsed.
func TestDecode_TooLarge(t *testing.T) {
	if _, err := Decode("", []byte(strings.Repeat("#", BytesMax+1))); err == nil || !strings.Contains(err.Error(), "at most 8388608 are allowed") {
		t.Error(err)
	}
}

// FuzzDecode checks that Decode accepts only valid directories that Encode can write and Decode
// read back.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("locations: [{id: a}]\nchannels: [{id: web, locations: [a]}]"))
	f.Add([]byte(`{"locations": [{"id": "a", "cost": 1e3}], "channels": []}`))
	f.Add([]byte("a: &a [*a, *a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Decode("", data)
		if err != nil {
			if wrong, ok := errors.AsType[*Error](err); !ok || len(wrong.Faults) == 0 {
				t.Fatal(err)
			}
			return
		}
		if faults := d.Validate(); len(faults) > 0 {
			t.Fatal(faults)
		}
		text, err := Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode("", text)
		if err != nil || !reflect.DeepEqual(d, again) {
			t.Fatalf("%v\n%#v\n%#v\n%s", err, d, again, text)
		}
	})
}
