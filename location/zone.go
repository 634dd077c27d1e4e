package location

import (
	"slices"
	"strings"
	"unicode"
)

// zone is a compiled Zone.
type zone struct {
	countries map[string]bool
	regions   map[string]bool
	codes     map[string]bool // whole postal codes
	prefixes  []string        // of postal codes
	coded     bool            // has postal codes, so an address without one is not in it
}

// destination is an Address in the form that zones compare.
type destination struct {
	country, region, code string
	position              vector
	located               bool
}

// destinationOf normalizes an address. Without coordinates it is at the centroid of its postal
// prefix or country.
func (r *Rules) destinationOf(a *Address) destination {
	d := destination{country: strings.ToUpper(a.Country), region: foldRegion(a.Region), code: foldCode(a.PostalCode)}
	if a.Latitude != nil && a.Longitude != nil {
		d.position, d.located = vectorOf(*a.Latitude, *a.Longitude), true
	} else if r.centroids != nil {
		d.position, d.located = r.centroids.find(d.country, d.code)
	}
	return d
}

func foldRegion(region string) string { return strings.ToUpper(strings.TrimSpace(region)) }

// foldCode returns a postal code in upper case, without spaces.
func foldCode(code string) string {
	if strings.ContainsFunc(code, unicode.IsSpace) {
		code = strings.Join(strings.Fields(code), "")
	}
	return strings.ToUpper(code)
}

func compileZone(z Zone) *zone {
	c := &zone{countries: map[string]bool{}, regions: map[string]bool{}, codes: map[string]bool{}, coded: len(z.PostalCodes) > 0}
	for _, country := range z.Countries {
		c.countries[strings.ToUpper(country)] = true
	}
	for _, region := range z.Regions {
		c.regions[foldRegion(region)] = true
	}
	for _, pattern := range z.PostalCodes {
		if prefix, any := strings.CutSuffix(foldCode(pattern), "*"); any {
			c.prefixes = append(c.prefixes, prefix)
		} else {
			c.codes[prefix] = true
		}
	}
	return c
}

// covers reports whether an address is in the zone: each non-empty list must have its value.
func (z *zone) covers(d *destination) bool {
	switch {
	case len(z.countries) > 0 && !z.countries[d.country]:
		return false
	case len(z.regions) > 0 && !z.regions[d.region]:
		return false
	case !z.coded:
		return true
	case d.code == "":
		return false
	default:
		return z.codes[d.code] || slices.ContainsFunc(z.prefixes, func(p string) bool { return strings.HasPrefix(d.code, p) })
	}
}

// shipsTo reports whether one of the location's zones covers an address.
func (p *place) shipsTo(d *destination) bool {
	return slices.ContainsFunc(p.zones, func(z *zone) bool { return z.covers(d) })
}
