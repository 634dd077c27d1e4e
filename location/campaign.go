package location

import (
	"fmt"
	"slices"
	"time"
)

// CampaignRule is a compiled Campaign.
type CampaignRule struct {
	Campaign
	Starts, Ends time.Time // StartsAt and EndsAt; zero if not set
}

// IsTimed reports whether the campaign starts or ends at a time.
func (c *CampaignRule) IsTimed() bool { return !c.Starts.IsZero() || !c.Ends.IsZero() }

// IsOver reports whether the campaign has ended at a time.
func (c *CampaignRule) IsOver(now time.Time) bool { return !c.Ends.IsZero() && !now.Before(c.Ends) }

// IsOn reports whether the campaign sells at a time: from Starts on, and before Ends.
func (c *CampaignRule) IsOn(now time.Time) bool { return !now.Before(c.Starts) && !c.IsOver(now) }

// campaigns returns the campaigns of a directory. An older one has them as limits.
func (d *Directory) campaigns() []Campaign {
	list := slices.Clone(d.Campaigns)
	for i := range d.Limits {
		l := &d.Limits[i]
		list = append(list, Campaign{ID: l.ID, PerCustomer: &l.PerCustomer, Channels: l.Channels, SKUs: l.SKUs})
	}
	return list
}

// compileCampaigns compiles the campaigns of a valid directory.
func compileCampaigns(d *Directory) []CampaignRule {
	var rules []CampaignRule
	for _, c := range d.campaigns() {
		rule := CampaignRule{Campaign: c}
		rule.Starts, _ = parseTime(c.StartsAt)
		rule.Ends, _ = parseTime(c.EndsAt)
		rules = append(rules, rule)
	}
	return rules
}

// parseTime reads a time of a campaign and returns what is wrong with it, or "" if nothing is. The
// time of "" is zero.
func parseTime(text string) (t time.Time, wrong string) {
	if text == "" {
		return time.Time{}, ""
	}
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return t, fmt.Sprintf("is %q, must be a time of RFC 3339, such as 2026-11-27T10:00:00.000Z", text)
	}
	switch {
	case t.Nanosecond()%int(time.Millisecond) != 0:
		return t, fmt.Sprintf("is %q, must be in whole milliseconds", text)
	case t.UnixMilli() <= 0:
		return t, fmt.Sprintf("is %q, must be after 1970", text)
	}
	return t, ""
}

// compileCampaigns finds the campaigns of each SKU in advance.
func (c *channel) compileCampaigns(all []CampaignRule) {
	var mine []*CampaignRule
	for i := range all {
		if r := &all[i]; len(r.Channels) == 0 || slices.Contains(r.Channels, c.ID) {
			mine = append(mine, r)
		}
	}
	c.named, c.counted = map[SKU][]*CampaignRule{}, len(mine) > 0
	for _, r := range mine {
		if len(r.SKUs) == 0 {
			c.anySKU = append(c.anySKU, r)
		}
		for _, sku := range r.SKUs {
			c.named[sku] = nil
		}
	}
	for _, r := range mine { // in the directory's order
		if len(r.SKUs) == 0 {
			for sku := range c.named {
				c.named[sku] = append(c.named[sku], r)
			}
		}
		for _, sku := range r.SKUs {
			c.named[sku] = append(c.named[sku], r)
		}
	}
}

func (c *channel) campaignsOf(sku SKU) []*CampaignRule {
	if !c.counted {
		return nil
	}
	if list, named := c.named[sku]; named {
		return list
	}
	return c.anySKU
}

// campaigns checks the campaigns, or the limits of an older directory.
func (f *faults) campaigns(d *Directory) {
	if len(d.Campaigns) > 0 && len(d.Limits) > 0 {
		f.add("/limits", "must not be given together with campaigns: move its entries to campaigns")
	}
	names(f, d.Campaigns, "/campaigns", "id", func(c *Campaign) string { return c.ID })
	names(f, d.Limits, "/limits", "id", func(l *Limit) string { return l.ID })
	known := make(map[Channel]bool, len(d.Channels))
	for _, c := range d.Channels {
		known[c.ID] = true
	}
	for i := range d.Campaigns {
		c, path := &d.Campaigns[i], fmt.Sprintf("/campaigns/%d", i)
		f.counted(path, c.Channels, c.SKUs, known)
		f.window(path, c)
		f.units(path+"/total", c.Total)
		f.units(path+"/per_customer", c.PerCustomer)
		if c.StartsAt == "" && c.EndsAt == "" && c.Total == nil && c.PerCustomer == nil {
			f.add(path, "needs at least one of starts_at, ends_at, total and per_customer")
		} else if c.FreesOnReturn && c.Total == nil && c.PerCustomer == nil {
			f.add(path+"/frees_on_return", "needs total or per_customer")
		}
	}
	for i := range d.Limits {
		l, path := &d.Limits[i], fmt.Sprintf("/limits/%d", i)
		f.counted(path, l.Channels, l.SKUs, known)
		f.quantity(path+"/per_customer", l.PerCustomer)
	}
}

// counted checks what a campaign counts.
func (f *faults) counted(path string, channels []Channel, skus []SKU, known map[Channel]bool) {
	references(f, path+"/channels", channels, known, "channels")
	f.most(path+"/skus", len(skus), CampaignSKUsMax)
	seen := make(map[SKU]bool, len(skus))
	for j, sku := range skus {
		at := fmt.Sprintf("%s/skus/%d", path, j)
		if f.fault(at, IdentifierFault(string(sku))); seen[sku] {
			f.add(at, "names %q a second time", sku)
		}
		seen[sku] = true
	}
}

// window checks the times of a campaign.
func (f *faults) window(path string, c *Campaign) {
	starts, wrong := parseTime(c.StartsAt)
	f.fault(path+"/starts_at", wrong)
	ends, wrongEnd := parseTime(c.EndsAt)
	f.fault(path+"/ends_at", wrongEnd)
	if c.StartsAt != "" && c.EndsAt != "" && wrong == "" && wrongEnd == "" && !starts.Before(ends) {
		f.add(path+"/ends_at", "is %q, must be after starts_at", c.EndsAt)
	}
}

func (f *faults) units(path string, n *int64) {
	if n != nil {
		f.quantity(path, *n)
	}
}
