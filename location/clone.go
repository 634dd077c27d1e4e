package location

import "slices"

// clone returns a deep copy.
func (d *Directory) clone() Directory {
	c := Directory{
		Locations: slices.Clone(d.Locations), Zones: slices.Clone(d.Zones), Channels: slices.Clone(d.Channels),
		Limits: slices.Clone(d.Limits), Kits: slices.Clone(d.Kits),
	}
	for i := range c.Locations {
		l := &c.Locations[i]
		l.Zones = slices.Clone(l.Zones)
		l.Enabled, l.Priority, l.Cost = copied(l.Enabled), copied(l.Priority), copied(l.Cost)
		l.Latitude, l.Longitude = copied(l.Latitude), copied(l.Longitude)
	}
	for i := range c.Zones {
		z := &c.Zones[i]
		z.Countries, z.Regions, z.PostalCodes = slices.Clone(z.Countries), slices.Clone(z.Regions), slices.Clone(z.PostalCodes)
	}
	for i := range c.Channels {
		s := &c.Channels[i]
		s.Locations, s.Rank = slices.Clone(s.Locations), slices.Clone(s.Rank)
	}
	for i := range c.Limits {
		l := &c.Limits[i]
		l.Channels, l.SKUs = slices.Clone(l.Channels), slices.Clone(l.SKUs)
	}
	for i := range c.Kits {
		c.Kits[i].Components = slices.Clone(c.Kits[i].Components)
	}
	return c
}

func copied[T any](value *T) *T {
	if value == nil {
		return nil
	}
	v := *value
	return &v
}
