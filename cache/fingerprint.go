package cache

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/holdfast/holdfast/location"
)

// fingerprinter hashes the fields of a request. Each text follows its length, so that different
// requests never hash the same bytes. The hash is SHA-256 cut to 128 bits, as 22 characters.
type fingerprinter struct{ buffer []byte }

func (f *fingerprinter) text(s string) {
	f.buffer = binary.AppendUvarint(f.buffer, uint64(len(s)))
	f.buffer = append(f.buffer, s...)
}

func (f *fingerprinter) number(n int64) { f.buffer = binary.AppendVarint(f.buffer, n) }

func (f *fingerprinter) optional(n *int64) {
	if n == nil {
		f.buffer = append(f.buffer, 0)
		return
	}
	f.buffer = append(f.buffer, 1)
	f.number(*n)
}

func (f *fingerprinter) float(x *float64) {
	if x == nil {
		f.optional(nil)
		return
	}
	bits := int64(math.Float64bits(*x))
	f.optional(&bits)
}

func (f *fingerprinter) address(a *location.Address) {
	if a == nil {
		f.number(0)
		return
	}
	f.number(1)
	f.text(a.Country)
	f.text(a.Region)
	f.text(a.PostalCode)
	f.float(a.Latitude)
	f.float(a.Longitude)
}

// field begins a field that requests did not always have. If such a field is empty, leave it out: then
// a request without it has the fingerprint that an older version gave it. No key of the metadata before
// it is empty, so the two are told apart.
func (f *fingerprinter) field(name string) {
	f.text("")
	f.text(name)
}

// onBehalfOf adds the person for whom a change is made.
func (f *fingerprinter) onBehalfOf(person string) {
	if person != "" {
		f.field("on_behalf_of")
		f.text(person)
	}
}

func (f *fingerprinter) locations(list []location.ID) {
	f.number(int64(len(list)))
	for _, id := range list {
		f.text(string(id))
	}
}

func (f *fingerprinter) sum() string {
	h := sha256.Sum256(f.buffer)
	var text [22]byte
	base64.RawURLEncoding.Encode(text[:], h[:16])
	return string(text[:])
}

// fingerprint identifies what the caller sent, without the id. It covers no candidates and no
// defaults, so that a change of the directory or of Options does not change it.
func (r *ReserveRequest) fingerprint() string {
	t := builders.Get().(*textBuilder)
	defer builders.Put(t)
	f := fingerprinter{buffer: t.buffer[:0]}
	defer func() { t.buffer = f.buffer }()
	f.text(string(r.Channel))
	f.text(r.Customer)
	f.text(r.Order)
	f.address(r.ShipTo)
	f.text(string(r.Pickup))
	f.number(r.TTL.Milliseconds())
	f.text(string(r.Split))
	f.number(int64(len(r.Lines)))
	for i := range r.Lines {
		l := &r.Lines[i]
		f.text(l.Line)
		f.text(string(l.SKU))
		f.number(l.Quantity)
		f.text(string(l.Location))
	}
	if len(r.Metadata) > 0 {
		for _, key := range slices.Sorted(maps.Keys(r.Metadata)) {
			f.text(key)
			f.text(r.Metadata[key])
		}
	}
	if len(r.Prefer) > 0 {
		f.field("prefer")
		f.locations(r.Prefer)
	}
	for i := range r.Lines {
		if list := r.Lines[i].Locations; len(list) > 0 {
			f.field("locations")
			f.number(int64(i))
			f.locations(list)
		}
		if r.Lines[i].Backorder {
			f.field("backorder")
			f.number(int64(i))
		}
		if l := &r.Lines[i]; l.ownDestination() {
			f.field("destination")
			f.number(int64(i))
			f.address(l.ShipTo)
			f.text(string(l.Pickup))
		}
	}
	if len(r.Identities) > 0 {
		f.field("identities")
		for _, identity := range r.Identities {
			f.text(identity)
		}
	}
	return f.sum()
}

// fingerprint identifies the lines of a partial release or fulfill.
func (r *TransitionRequest) fingerprint() string {
	f := fingerprinter{}
	for _, l := range r.Lines {
		f.text(l.Line)
		f.number(l.Quantity)
	}
	return f.sum()
}

// stepFingerprint identifies what the caller of a step with an operation sent, without the
// operation's id.
func stepFingerprint(verb Verb, reservation string, version int64, to location.ID, lines ...LineQuantity) string {
	f := fingerprinter{}
	f.text(string(verb))
	f.text(reservation)
	f.number(version)
	f.text(string(to))
	for _, l := range lines {
		f.text(l.Line)
		f.number(l.Quantity)
	}
	return f.sum()
}

// fingerprint identifies what the caller sent, without the id.
func (r *AdjustRequest) fingerprint() string {
	f := fingerprinter{buffer: make([]byte, 0, 64*len(r.Changes))}
	f.text(r.Reason)
	f.text(r.Actor)
	for i := range r.Changes {
		c := &r.Changes[i]
		f.text(string(c.SKU))
		f.text(string(c.Location))
		for _, n := range []*int64{c.OnHand, c.Delta, c.IfOnHand, c.SafetyStock, c.BackorderLimit} {
			f.optional(n)
		}
	}
	if !r.AsOf.IsZero() {
		f.number(r.AsOf.UnixMilli())
	}
	f.onBehalfOf(r.OnBehalfOf)
	return f.sum()
}

// textBuilder builds several strings in one allocation: they are slices of one.
type textBuilder struct {
	buffer []byte
	ends   []int
}

// builders keeps the buffers of unused builders.
var builders = sync.Pool{New: func() any { return &textBuilder{} }}

func (t *textBuilder) reset() { t.buffer, t.ends = t.buffer[:0], t.ends[:0] }

// add appends to the current string.
func (t *textBuilder) add(parts ...string) {
	for _, part := range parts {
		t.buffer = append(t.buffer, part...)
	}
}

func (t *textBuilder) addInt(n int64) { t.buffer = strconv.AppendInt(t.buffer, n, 10) }

// end ends the current string.
func (t *textBuilder) end() { t.ends = append(t.ends, len(t.buffer)) }

// texts returns the strings. Read them before t is used again.
func (t *textBuilder) texts() textReader { return textReader{all: string(t.buffer), ends: t.ends} }

// textReader returns the strings of a textBuilder in order.
type textReader struct {
	all  string
	ends []int
	from int
	i    int
}

func (r *textReader) next() string {
	part := r.all[r.from:r.ends[r.i]]
	r.from = r.ends[r.i]
	r.i++
	return part
}
