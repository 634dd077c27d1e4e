package location

import (
	"fmt"
	"slices"
	"strings"
)

// The maximum sizes of a directory.
const (
	IdentifierBytesMax = 128           // bytes of UTF-8 in any identifier
	TextBytesMax       = 512           // bytes of a name, a region or a postal code
	QuantityMax        = 2_147_483_647 // units in a campaign or a kit
	LocationsMax       = 1_000
	ZonesMax           = 1_000
	ChannelsMax        = 1_000
	CampaignsMax       = 1_000
	KitsMax            = 100_000
	ComponentsMax      = 20     // of one kit
	ZoneEntriesMax     = 10_000 // countries, regions or postal codes of one zone
	CampaignSKUsMax    = 10_000 // of one campaign
)

// Validate returns all faults of a directory, or none if Compile accepts it. If a list is longer
// than its maximum, it returns only the faults of that kind.
func (d *Directory) Validate() []Fault { return d.validate(false) }

// validate is Validate. If the directory is stored, entries of a zone that match no address are no
// faults.
func (d *Directory) validate(stored bool) []Fault {
	var f faults
	f.most("/locations", len(d.Locations), LocationsMax)
	f.most("/zones", len(d.Zones), ZonesMax)
	f.most("/channels", len(d.Channels), ChannelsMax)
	f.most("/campaigns", len(d.Campaigns), CampaignsMax)
	f.most("/limits", len(d.Limits), CampaignsMax)
	f.most("/kits", len(d.Kits), KitsMax)
	if len(f.list) > 0 {
		return f.list
	}
	if len(d.Locations) == 0 {
		f.add("/locations", "is required: add at least one location")
	}
	if len(d.Channels) == 0 {
		f.add("/channels", "is required: add at least one channel")
	}
	f.locations(d)
	f.zones(d.Zones, stored)
	f.channels(d)
	f.campaigns(d)
	f.kits(d.Kits)
	return f.list
}

func (f *faults) most(path string, n, most int) {
	if n > most {
		f.add(path, "has %d entries, at most %d are allowed", n, most)
	}
}

// names checks that the ids of a list are valid and unique. It returns all.
func names[E any, T ~string](f *faults, list []E, path, field string, id func(*E) T) map[T]bool {
	known := make(map[T]bool, len(list))
	first := make(map[T]int, len(list))
	for i := range list {
		name, at := id(&list[i]), fmt.Sprintf("%s/%d/%s", path, i, field)
		f.fault(at, IdentifierFault(string(name)))
		if known[name] && name != "" {
			f.add(at, "is %q, which %s/%d already has", name, path, first[name])
			continue
		}
		known[name], first[name] = true, i
	}
	return known
}

// references checks that the names in a list are known and unique.
func references[T ~string](f *faults, path string, list []T, known map[T]bool, what string) {
	for i, name := range list {
		at := fmt.Sprintf("%s/%d", path, i)
		switch {
		case !known[name]:
			f.add(at, "names %q, which is not one of the %s", name, what)
		case slices.Contains(list[:i], name):
			f.add(at, "names %q a second time", name)
		}
	}
}

// fault adds what is wrong, unless it is "".
func (f *faults) fault(path, wrong string) {
	if wrong != "" {
		f.add(path, "%s", wrong)
	}
}

func (f *faults) locations(d *Directory) {
	names(f, d.Locations, "/locations", "id", func(l *Location) ID { return l.ID })
	zones := make(map[string]bool, len(d.Zones))
	for _, z := range d.Zones {
		zones[z.ID] = true
	}
	for i := range d.Locations {
		l, path := &d.Locations[i], fmt.Sprintf("/locations/%d", i)
		f.fault(path+"/name", TextFault(l.Name))
		if l.Country != "" {
			f.fault(path+"/country", CountryFault(l.Country))
		}
		f.degrees(path+"/latitude", l.Latitude, 90)
		f.degrees(path+"/longitude", l.Longitude, 180)
		if (l.Latitude == nil) != (l.Longitude == nil) {
			f.add(path, "needs both latitude and longitude, or neither")
		}
		f.number(path+"/priority", l.Priority)
		f.number(path+"/cost", l.Cost)
		references(f, path+"/zones", l.Zones, zones, "zones")
	}
}

func (f *faults) degrees(path string, value *float64, most float64) {
	if value != nil && !(*value >= -most && *value <= most) {
		f.add(path, "must be from -%g to %g degrees", most, most)
	}
}

// numberMax bounds a priority or cost: below it a float64 tells consecutive whole numbers apart.
const numberMax = 1e15

func (f *faults) number(path string, value *float64) {
	if value != nil && !(*value >= -numberMax && *value <= numberMax) {
		f.add(path, "must be from -%.0f to %.0f", numberMax, numberMax)
	}
}

func (f *faults) zones(zones []Zone, stored bool) {
	names(f, zones, "/zones", "id", func(z *Zone) string { return z.ID })
	for i := range zones {
		z, path := &zones[i], fmt.Sprintf("/zones/%d", i)
		f.entries(path+"/countries", z.Countries, stored, strings.ToUpper, CountryFault)
		f.entries(path+"/regions", z.Regions, stored, foldRegion, AddressTextFault)
		f.postalCodes(path+"/postal_codes", z, stored)
	}
}

// entries checks a list of a zone. fold returns an entry as zones compare it.
func (f *faults) entries(path string, list []string, stored bool, fold, fault func(string) string) {
	f.most(path, len(list), ZoneEntriesMax)
	seen := make(map[string]bool, len(list))
	for i, entry := range list {
		at, folded := fmt.Sprintf("%s/%d", path, i), fold(entry)
		switch {
		case TextFault(entry) != "":
			f.add(at, "%s", TextFault(entry))
		case stored:
		case strings.TrimSpace(entry) == "":
			f.add(at, "is empty and matches no address: remove it")
		case seen[folded]:
			f.add(at, "names %q a second time", entry)
		default:
			f.fault(at, fault(entry))
		}
		seen[folded] = true
	}
}

func (f *faults) channels(d *Directory) {
	names(f, d.Channels, "/channels", "id", func(c *SalesChannel) Channel { return c.ID })
	known := make(map[ID]bool, len(d.Locations))
	for _, l := range d.Locations {
		known[l.ID] = true
	}
	fallback := -1
	for i := range d.Channels {
		c, path := &d.Channels[i], fmt.Sprintf("/channels/%d", i)
		if len(c.Locations) == 0 {
			f.add(path+"/locations", "is required: a channel sells from at least one location")
		}
		references(f, path+"/locations", c.Locations, known, "locations")
		for j, rule := range c.Rank {
			at := fmt.Sprintf("%s/rank/%d", path, j)
			if !rule.Valid() {
				f.add(at, "is %q, must be same_country, nearest, priority, cost or highest_stock", rule)
			} else if slices.Contains(c.Rank[:j], rule) {
				f.add(at, "names %q a second time", rule)
			}
		}
		if c.Split != "" && !c.Split.Valid() {
			f.add(path+"/split", "is %q, must be never, lines or units", c.Split)
		}
		if c.Default && fallback >= 0 {
			f.add(path+"/default", "is true, but /channels/%d is already the default: only one channel can be", fallback)
		} else if c.Default {
			fallback = i
		}
	}
}

func (f *faults) quantity(path string, n int64) {
	if n < 1 || n > QuantityMax {
		f.add(path, "must be from 1 to %d", QuantityMax)
	}
}

func (f *faults) kits(kits []Kit) {
	known := names(f, kits, "/kits", "sku", func(k *Kit) SKU { return k.SKU })
	for i := range kits {
		path := fmt.Sprintf("/kits/%d/components", i)
		if n := len(kits[i].Components); n < 1 || n > ComponentsMax {
			f.add(path, "has %d components, must have from 1 to %d", n, ComponentsMax)
			continue
		}
		seen := map[SKU]bool{}
		for j, c := range kits[i].Components {
			at := fmt.Sprintf("%s/%d", path, j)
			f.fault(at+"/sku", IdentifierFault(string(c.SKU)))
			f.quantity(at+"/quantity", c.Quantity)
			if known[c.SKU] {
				f.add(at+"/sku", "is %q, which is itself a kit: list its components instead", c.SKU)
			}
			if seen[c.SKU] {
				f.add(at+"/sku", "names %q a second time", c.SKU)
			}
			seen[c.SKU] = true
		}
	}
}
