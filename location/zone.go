package location

import (
	"slices"
	"strings"
)

// zone is a compiled Zone.
type zone struct {
	countries map[string]bool
	regions   map[string]bool
	included  codeSet // postal codes
	excluded  codeSet
	coded     bool // has postal codes, so an address without one is not in it
}

// destination is an Address in the form that zones compare.
type destination struct {
	country, region string
	code            postalCode
	position        vector
	located         bool
}

// destinationOf normalizes an address. Without coordinates it is at the centroid of its postal
// prefix or country.
func (r *Rules) destinationOf(a *Address) destination {
	d := destination{country: strings.ToUpper(a.Country), region: foldRegion(a.Region)}
	d.code = postalCodeOf(d.country, a.PostalCode)
	if a.Latitude != nil && a.Longitude != nil {
		d.position, d.located = vectorOf(*a.Latitude, *a.Longitude), true
	} else if r.centroids != nil {
		d.position, d.located = r.centroids.find(d.country, d.code.code)
	}
	return d
}

func foldRegion(region string) string { return strings.ToUpper(strings.TrimSpace(region)) }

func compileZone(z Zone) *zone {
	c := &zone{countries: map[string]bool{}, regions: map[string]bool{}, coded: len(z.PostalCodes) > 0}
	for _, country := range z.Countries {
		c.countries[strings.ToUpper(country)] = true
	}
	for _, region := range z.Regions {
		c.regions[foldRegion(region)] = true
	}
	for _, pattern := range z.PostalCodes {
		p, wrong := compilePattern(pattern, z.Countries)
		switch {
		case wrong != "": // an earlier version has stored it: it matches nothing
		case p.excludes:
			c.excluded.add(&p)
		default:
			c.included.add(&p)
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
	case d.code.code == "":
		return false
	default:
		return z.included.has(&d.code) && !z.excluded.has(&d.code)
	}
}

// shipsTo reports whether one of the location's zones covers an address.
func (p *place) shipsTo(d *destination) bool {
	return slices.ContainsFunc(p.zones, func(z *zone) bool { return z.covers(d) })
}
