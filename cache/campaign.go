package cache

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// limitUse has the units that a request adds to a counter of a campaign.
type limitUse struct {
	wire.LimitKey
	units, most int64
	counter     string // number that the last probe gave to the counter
}

// countCampaigns adds what a line takes of campaigns. A campaign that names the kit counts kits, and
// does not count the components again.
func (c *reserveCall) countCampaigns(asked *LineRequest, kit []location.Component) error {
	whole := c.routing.Campaigns(asked.SKU)
	err := c.count(whole, asked.SKU, asked.Quantity)
	for _, component := range kit {
		if err == nil {
			err = c.count(without(c.routing.Campaigns(component.SKU), whole), asked.SKU, asked.Quantity*component.Quantity)
		}
	}
	return err
}

// without returns the campaigns of a list that are not among others.
func without(list, others []*location.CampaignRule) (rest []*location.CampaignRule) {
	for _, campaign := range list {
		if !slices.Contains(others, campaign) {
			rest = append(rest, campaign)
		}
	}
	return rest
}

// count adds units of a SKU to the counters of campaigns, and notes those that have times.
func (c *reserveCall) count(campaigns []*location.CampaignRule, sku location.SKU, units int64) error {
	for _, campaign := range campaigns {
		if campaign.PerCustomer != nil && c.request.Customer == "" && len(c.request.Identities) == 0 {
			return invalid("/customer", "is required, or identities: %s has a purchase limit", sku)
		}
		if campaign.IsTimed() && !slices.Contains(c.timed, campaign) {
			c.timed = append(c.timed, campaign)
		}
	}
	for _, limit := range c.limitsOf(campaigns, 1) {
		key, counted := limit.Key(c.request.Customer)
		if !counted {
			continue
		}
		i := slices.IndexFunc(c.limits, func(use limitUse) bool { return use.LimitKey == key })
		if i < 0 {
			i, c.limits = len(c.limits), append(c.limits, limitUse{LimitKey: key, most: limit.Most})
		}
		c.limits[i].units += units
	}
	return nil
}

// limitsOf returns the limits of campaigns, as a record stores them: of each campaign that of the
// customer, the same of each identity, and then the total. Each units of a line count as one.
func (c *reserveCall) limitsOf(campaigns []*location.CampaignRule, each int64) (list []wire.RecordLimit) {
	for _, campaign := range campaigns {
		limit := wire.RecordLimit{ID: campaign.ID, Each: each, FreesOnReturn: campaign.FreesOnReturn}
		if campaign.PerCustomer != nil {
			limit.Most = *campaign.PerCustomer
			list = append(list, limit)
			limit.Named = true
			for _, limit.Identity = range c.request.Identities {
				list = append(list, limit)
			}
		}
		if campaign.Total != nil {
			limit.Most, limit.Named, limit.Identity = *campaign.Total, true, ""
			list = append(list, limit)
		}
	}
	return list
}

// endless stands for the end of a request without one, Unix ms. Lua counts exactly up to it.
const endless = 1 << 52

// addWindow adds the time in which all campaigns of a request sell, Unix ms: its start, and the first
// moment after it. It adds nothing if no campaign has times.
func (c *reserveCall) addWindow(t *textBuilder) {
	if len(c.timed) == 0 {
		return
	}
	starts, ends := int64(0), int64(endless)
	for _, campaign := range c.timed {
		starts = max(starts, campaign.Starts.UnixMilli())
		if !campaign.Ends.IsZero() {
			ends = min(ends, campaign.Ends.UnixMilli())
		}
	}
	t.add(" @")
	t.addInt(starts)
	t.add("-")
	t.addInt(ends)
}

// window returns what addWindow adds.
func (c *reserveCall) window() string {
	t := builders.Get().(*textBuilder)
	defer builders.Put(t)
	t.reset()
	c.addWindow(t)
	t.end()
	texts := t.texts()
	return texts.next()
}

// isOn reports whether all campaigns of a request sell at a time.
func (c *reserveCall) isOn(now time.Time) bool {
	return !slices.ContainsFunc(c.timed, func(r *location.CampaignRule) bool { return !r.IsOn(now) })
}

// notOnSale returns the refusal of a request outside the times of its campaigns: because of one that
// is over, or else of the one that starts last.
func (c *reserveCall) notOnSale(now time.Time) error {
	var closed *location.CampaignRule
	for _, r := range c.timed {
		if r.IsOver(now) {
			closed = r
			break
		}
		if !r.IsOn(now) && (closed == nil || r.Starts.After(closed.Starts)) {
			closed = r
		}
	}
	if closed == nil {
		return fmt.Errorf("reserve %q: answered not_on_sale: %w", c.request.ID, ErrCorrupt)
	}
	return &NotOnSaleError{Campaign: closed.ID, StartsAt: closed.Starts, EndsAt: closed.Ends, Now: now}
}

// decodeLimit reads which limit of a campaign the request would exceed.
func (c *reserveCall) decodeLimit(payload string) error {
	f := wire.FieldReader{Rest: payload}
	i, taken := f.Number()-1, f.Number()
	if f.Failed || i < 0 || i >= int64(len(c.limits)) {
		return fmt.Errorf("reserve %q: answered %q: %w", c.request.ID, payload, ErrCorrupt)
	}
	return limitError(c.limits[i].LimitKey, c.limits[i].most, taken)
}

// decodeLimitError reads the limit that a step would exceed: limit, identity, most, units.
func decodeLimitError(f *wire.FieldReader) error {
	key := wire.LimitKey{Limit: f.Text(), Identity: f.Text()}
	most, taken := f.Number(), f.Number()
	return limitError(key, most, taken)
}

// limitError returns the refusal of a request that would exceed a limit of a campaign.
func limitError(key wire.LimitKey, most, taken int64) error {
	if key.Identity == "" {
		return &CampaignSoldOutError{Campaign: key.Limit, Total: most, Taken: taken}
	}
	return &PurchaseLimitError{Campaign: key.Limit, Limit: most, Taken: taken, Identity: key.Identity}
}
