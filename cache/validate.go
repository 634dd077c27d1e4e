package cache

import (
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// faults collects every fault of a request.
type faults []Fault

func (f *faults) add(path, format string, args ...any) {
	*f = append(*f, Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

// err returns an *InvalidError, or nil if there is no fault.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &InvalidError{Faults: f}
}

// fault adds what is wrong, unless it is "".
func (f *faults) fault(path, wrong string) {
	if wrong != "" {
		f.add(path, "%s", wrong)
	}
}

// identifier checks a required identifier.
func (f *faults) identifier(path, id string) { f.fault(path, location.IdentifierFault(id)) }

// optional checks an identifier that may be empty.
func (f *faults) optional(path, id string) {
	if id != "" {
		f.identifier(path, id)
	}
}

// short checks free text.
func (f *faults) short(path, text string) { f.fault(path, location.TextFault(text)) }

func (f *faults) quantity(path string, n int64) { f.fault(path, quantityFault(n)) }

func quantityFault(n int64) string {
	if n < 1 || n > QuantityMax {
		return fmt.Sprintf("must be from 1 to %d", QuantityMax)
	}
	return ""
}

func (f *faults) count(path string, n *int64) {
	if n != nil && (*n < 0 || *n > QuantityMax) {
		f.add(path, "must be from 0 to %d", QuantityMax)
	}
}

func (f *faults) version(path string, n int64) {
	if n < 0 || n > QuantityMax {
		f.add(path, "must be from 1 to %d", QuantityMax)
	}
}

func (f *faults) ttl(path string, ttl, most time.Duration) {
	if ttl != 0 && (ttl < TTLMin || ttl > most) {
		f.add(path, "must be from %d to %d", int(TTLMin.Seconds()), int(most.Seconds()))
	}
}

func (r *ReserveRequest) validate(ttlMax time.Duration) error {
	var f faults
	f.identifier("/id", r.ID)
	f.optional("/channel", string(r.Channel))
	f.optional("/customer", r.Customer)
	f.optional("/order", r.Order)
	f.optional("/pickup", string(r.Pickup))
	f.ttl("/ttl_seconds", r.TTL, ttlMax)
	if r.Split != "" && !r.Split.Valid() {
		f.add("/split", "is %q, must be never, lines or units", r.Split)
	}
	if r.ShipTo != nil {
		if r.Pickup != "" {
			f.add("/pickup", "must not be given together with ship_to")
		}
		f.address("/ship_to", r.ShipTo)
	}
	f.preferred("/prefer", r.Prefer)
	f.lines(r.Lines)
	f.identities(r.Identities)
	f.metadata(r.Metadata)
	return f.err()
}

func (f *faults) address(path string, a *location.Address) {
	if a.Country != "" {
		f.fault(path+"/country", location.CountryFault(a.Country))
	}
	f.fault(path+"/region", location.AddressTextFault(a.Region))
	f.fault(path+"/postal_code", location.AddressTextFault(a.PostalCode))
	if (a.Latitude == nil) != (a.Longitude == nil) {
		f.add(path, "needs both latitude and longitude, or neither")
	}
	if a.Latitude != nil && !(*a.Latitude >= -90 && *a.Latitude <= 90) {
		f.add(path+"/latitude", "must be from -90 to 90 degrees")
	}
	if a.Longitude != nil && !(*a.Longitude >= -180 && *a.Longitude <= 180) {
		f.add(path+"/longitude", "must be from -180 to 180 degrees")
	}
}

// lineTwice adds a fault if an earlier line has the name of line i.
func (f *faults) lineTwice(i int, name func(int) string) {
	this := name(i)
	for j := range i {
		if name(j) == this {
			f.add(linePath(i)+"/line", "is %q, the same as line %d", this, j)
			return
		}
	}
}

func (f *faults) lines(lines []LineRequest) {
	if len(lines) < 1 || len(lines) > LinesMax {
		f.add("/lines", "has %d lines, must have from 1 to %d", len(lines), LinesMax)
		return
	}
	for i := range lines {
		l := &lines[i]
		f.lineTwice(i, func(j int) string { return lines[j].Line })
		f.line(i, "/line", location.IdentifierFault(l.Line))
		f.line(i, "/sku", location.IdentifierFault(string(l.SKU)))
		f.line(i, "/quantity", quantityFault(l.Quantity))
		if l.Location != "" {
			f.line(i, "/location", location.IdentifierFault(string(l.Location)))
		}
		if len(l.Locations) > 0 {
			f.preferred(linePath(i)+"/locations", l.Locations)
			if l.Location != "" {
				f.add(linePath(i)+"/locations", "must not be given together with location")
			}
		}
		f.lineDestination(i, l)
	}
}

// lineDestination checks the line's own destination.
func (f *faults) lineDestination(i int, l *LineRequest) {
	if l.ShipTo != nil {
		f.address(linePath(i)+"/ship_to", l.ShipTo)
		if l.Pickup != "" {
			f.add(linePath(i)+"/pickup", "must not be given together with ship_to")
		}
	}
	if l.Pickup != "" {
		f.line(i, "/pickup", location.IdentifierFault(string(l.Pickup)))
	}
}

// preferred checks a list of locations in the order of a caller.
func (f *faults) preferred(path string, list []location.ID) {
	if len(list) > PreferredMax {
		f.add(path, "has %d locations, at most %d are allowed", len(list), PreferredMax)
		return
	}
	for i, id := range list {
		at := path + "/" + strconv.Itoa(i)
		f.identifier(at, string(id))
		if j := slices.Index(list, id); j < i {
			f.add(at, "is %q, the same as location %d", id, j)
		}
	}
}

// line adds a fault of a line's field, unless wrong is "". It builds the path only then, because
// every reservation comes through here.
func (f *faults) line(i int, field, wrong string) {
	if wrong != "" {
		f.add(linePath(i)+field, "%s", wrong)
	}
}

func linePath(i int) string { return "/lines/" + strconv.Itoa(i) }

func (f *faults) metadata(m map[string]string) {
	if len(m) > MetadataKeysMax {
		f.add("/metadata", "has %d keys, at most %d are allowed", len(m), MetadataKeysMax)
		return
	}
	for key, value := range m {
		path := metadataPath(key)
		f.identifier(path, key)
		if len(value) > MetadataBytesMax {
			f.add(path, "is %d bytes long, at most %d are allowed", len(value), MetadataBytesMax)
		} else if !utf8.ValidString(value) {
			f.add(path, "is not valid UTF-8")
		}
	}
}

func (r *TransitionRequest) validate(verb Verb) error {
	var f faults
	f.identifier("/id", r.ID)
	f.version("/version", r.Version)
	if verb != VerbConfirm && !r.NotAfter.IsZero() {
		f.add("/not_after", "is not for %s, which takes no units: leave it out", verb)
	}
	f.optional("/operation", r.Operation)
	if len(r.Lines) > LinesMax {
		f.add("/lines", "has %d lines, at most %d are allowed", len(r.Lines), LinesMax)
		return f.err()
	}
	if len(r.Lines) > 0 {
		f.repeatable(r.Version, r.Operation)
	}
	f.lineQuantities(r.Lines)
	return f.err()
}

// repeatable checks that a repeat of a step can be recognised.
func (f *faults) repeatable(version int64, operation string) {
	if version == 0 && operation == "" {
		f.add("/version", "is required without an operation id, so that a repeat is recognised")
	}
}

// requiredQuantities checks lines of which there must be at least one.
func (f *faults) requiredQuantities(lines []LineQuantity) {
	if len(lines) < 1 || len(lines) > LinesMax {
		f.add("/lines", "has %d lines, must have from 1 to %d", len(lines), LinesMax)
		return
	}
	f.lineQuantities(lines)
}

func (f *faults) lineQuantities(lines []LineQuantity) {
	for i, l := range lines {
		path := linePath(i)
		f.identifier(path+"/line", l.Line)
		f.quantity(path+"/quantity", l.Quantity)
		f.lineTwice(i, func(j int) string { return lines[j].Line })
	}
}

func (r *ExtendRequest) validate(ttlMax time.Duration) error {
	var f faults
	f.identifier("/id", r.ID)
	f.version("/version", r.Version)
	f.ttl("/ttl_seconds", r.TTL, ttlMax)
	return f.err()
}

func (r *AdjustRequest) validate() error {
	var f faults
	f.identifier("/id", r.ID)
	f.short("/reason", r.Reason)
	f.short("/actor", r.Actor)
	f.short("/on_behalf_of", r.OnBehalfOf)
	f.short("/request_id", r.RequestID)
	if len(r.Changes) < 1 || len(r.Changes) > ChangesMax {
		f.add("/changes", "has %d levels, must have from 1 to %d", len(r.Changes), ChangesMax)
		return f.err()
	}
	bytes := 0
	for i := range r.Changes {
		bytes += len(r.Changes[i].SKU) + len(r.Changes[i].Location)
	}
	if bytes > ChangesBytesMax {
		f.add("/changes", "has SKUs and locations of %d bytes, must have at most %d: change fewer levels at once", bytes, ChangesBytesMax)
	}
	f.asOf(r)
	seen := make(map[string]bool, len(r.Changes))
	for i := range r.Changes {
		c, path := &r.Changes[i], "/changes/"+strconv.Itoa(i)
		f.change(path, c)
		name := wire.LevelField(c.SKU, c.Location)
		if seen[name] {
			f.add(path, "names %s at %s a second time", c.SKU, c.Location)
		}
		seen[name] = true
	}
	return f.err()
}

func (f *faults) change(path string, c *Change) {
	f.identifier(path+"/sku", string(c.SKU))
	f.identifier(path+"/location", string(c.Location))
	f.count(path+"/on_hand", c.OnHand)
	f.count(path+"/if_on_hand", c.IfOnHand)
	f.count(path+"/safety_stock", c.SafetyStock)
	f.count(path+"/backorder_limit", c.BackorderLimit)
	switch {
	case c.Delta != nil && c.OnHand != nil:
		f.add(path+"/delta", "must not be given together with on_hand")
	case c.Delta != nil && (*c.Delta == 0 || *c.Delta < -QuantityMax || *c.Delta > QuantityMax):
		f.add(path+"/delta", "must be from -%d to %d and not 0", QuantityMax, QuantityMax)
	case c.Delta == nil && c.OnHand == nil && c.SafetyStock == nil && c.BackorderLimit == nil:
		f.add(path+"/on_hand", "is required if neither safety_stock nor backorder_limit is given")
	}
}
