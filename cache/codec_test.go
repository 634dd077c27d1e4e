package cache

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// FuzzRecord checks that no text breaks the decoder, and that a record survives encoding.
func FuzzRecord(f *testing.F) {
	f.Add(wire.Record{State: StateHeld, Version: 1, Expires: epochMillis, CreationNonce: "b", Created: 1, Fingerprint: "f",
		Lines: []wire.RecordLine{{Line: "1", SKU: "TEE", Requested: 2, From: []wire.RecordAllocation{{Location: "berlin", Quantity: 2, Fulfilled: 1}}}, {Line: "2", SKU: "MUG"}}}.Encode())
	f.Add(wire.Record{State: StateReleased, Version: 4, CreationNonce: "b", Lines: []wire.RecordLine{{
		Line: "1", SKU: "TEE", Requested: 2, Returned: 1, Backorder: true, Kit: &wire.RecordKit{SKU: "SET", Each: 2},
		Limits: []wire.RecordLimit{{ID: "drop", Most: 3, Each: 2, FreesOnReturn: true}, {ID: "drop", Most: 3, Each: 2, Named: true, Identity: "card"}},
		From:   []wire.RecordAllocation{{Location: "berlin", Quantity: 2, Fulfilled: 2}, {Location: "lyon"}},
	}}}.Encode())
	f.Add("1\x1fheld\x1f1")
	f.Add("2\x1fheld")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		rec, err := wire.DecodeRecord(text)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		again, err := wire.DecodeRecord(rec.Encode())
		if err != nil || again.Encode() != rec.Encode() {
			t.Fatalf("%q: %v, again %q", text, err, again.Encode())
		}
		_ = reservationOf(rec, "id", epochMillis)
	})
}

// FuzzEntry checks that no entry of the stream breaks its decoder.
func FuzzEntry(f *testing.F) {
	f.Add("1", "1700000000000\x1dadjust\x1fop\x1ff\x1f\x1f\x1eTEE\x1fberlin\x1f0\x1f5\x1f0\x1f0\x1f0\x1f0\x1f5")
	f.Add("1", "1\x1dreserve\x1fo\x1f\x1f0\x1f\x1e1\x1fheld\x1f1\x1f2\x1fb\x1f1\x1f\x1ff\x1f\x1f\x1f\x1e1\x1fTEE\x1f3\x1f0\x1fberlin\x1f3\x1f0")
	const confirmed = "\x1e1\x1fconfirmed\x1f4\x1f2\x1fb\x1f1\x1funfulfill//w\x1ff\x1fweb\x1fc\x1f\x1e1\x1c\x1c\x1c3 1 \x1bdrop\x1c3 1 drop\x1bcard\x1fTEE\x1f1\x1f0\x1fb\x1f1\x1f0"
	for _, newer := range []string{
		"1\x1dunfulfill\x1fo\x1ffulfilled\x1f3\x1fun\x1cf\x1cb\x1cTEE\x1ca\x1c1" + confirmed,
		"1\x1dunfulfill\x1fo\x1ffulfilled\x1f3\x1fun\x1cf\x1c" + confirmed,
		"1\x1ddescribe\x1fo\x1fconfirmed\x1f3\x1f{\"metadata\":{\"a\":\"1\"}}" + confirmed,
		"1\x1damend\x1fo\x1fconfirmed\x1f3\x1fop\x1cf" + confirmed,
	} {
		if _, err := wire.DecodeEntry("1-1", map[string]any{"v": "2", "n": "n", "e": newer}); err != nil {
			f.Fatalf("%q: %v", newer, err)
		}
		f.Add("2", newer)
	}
	f.Add("2", "1")
	f.Add("3", "")
	f.Fuzz(func(t *testing.T, version, body string) {
		entry, err := wire.DecodeEntry("1-1", map[string]any{"v": version, "n": "n", "e": body})
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
			t.Fatal(err)
		}
		if err == nil && version != "1" && version != "2" {
			t.Fatalf("%+v of version %q", entry, version)
		}
	})
}

// FuzzReserve checks that no request breaks validation, and that a valid one has one fingerprint.
func FuzzReserve(f *testing.F) {
	f.Add("ord", "web", "1", "TEE", int64(2), "berlin", int64(600), "cart")
	f.Add("{", "\x1f", "", "..", int64(-1), "\xff", int64(-5), "")
	f.Fuzz(func(t *testing.T, id, channel, line, sku string, quantity int64, pin string, ttl int64, note string) {
		r := ReserveRequest{ID: id, Order: note, TTL: time.Duration(ttl), Metadata: map[string]string{"note": note}}
		r.Channel, r.Lines = location.Channel(channel), order(id, "1:X:1").Lines
		r.Lines[0].Line, r.Lines[0].Quantity = line, quantity
		r.Lines[0].SKU = location.SKU(sku)
		r.Lines[0].Location = location.ID(pin)
		err := r.validate(time.Hour)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		other := r
		other.Lines = append([]LineRequest{}, r.Lines...)
		if r.fingerprint() != other.fingerprint() {
			t.Fatal("the same request has two fingerprints")
		}
		other.Lines[0].Quantity++
		if r.fingerprint() == other.fingerprint() {
			t.Fatal("two requests share a fingerprint")
		}
	})
}

// TestFingerprint gives requests that differ in any field different fingerprints. The id does not count.
func TestFingerprint(t *testing.T) {
	base := func() ReserveRequest {
		r := order("ord", "1:TEE:2:berlin")
		r.Channel, r.Customer, r.Order, r.TTL, r.Split = "web", "c", "o", time.Minute, "lines"
		r.Metadata = map[string]string{"a": "1", "b": "2"}
		return r
	}
	first := base()
	seen := map[string]string{first.fingerprint(): "base"}
	for name, change := range map[string]func(*ReserveRequest){
		"channel": func(r *ReserveRequest) { r.Channel = "shop" }, "customer": func(r *ReserveRequest) { r.Customer = "" },
		"order": func(r *ReserveRequest) { r.Order = "p" }, "ttl": func(r *ReserveRequest) { r.TTL = 0 },
		"split": func(r *ReserveRequest) { r.Split = "" }, "line": func(r *ReserveRequest) { r.Lines[0].Line = "2" },
		"sku": func(r *ReserveRequest) { r.Lines[0].SKU = "MUG" }, "quantity": func(r *ReserveRequest) { r.Lines[0].Quantity = 3 },
		"prefer": func(r *ReserveRequest) { r.Prefer = ids("a b") }, "prefer in another order": func(r *ReserveRequest) { r.Prefer = ids("b a") },
		"locations": func(r *ReserveRequest) { r.Lines[0].Locations = ids("a b") }, "fewer locations": func(r *ReserveRequest) { r.Lines[0].Locations = ids("a") },
		"own address": func(r *ReserveRequest) { r.Lines[0].ShipTo = &location.Address{Country: "DE"} }, "another own address": func(r *ReserveRequest) { r.Lines[0].ShipTo = &location.Address{Region: "DE"} },
		"own store": func(r *ReserveRequest) { r.Lines[0].Pickup = "berlin" }, "no store": func(r *ReserveRequest) { r.Lines[0].ShipTo = &location.Address{} },
		"pin": func(r *ReserveRequest) { r.Lines[0].Location = "" }, "pickup": func(r *ReserveRequest) { r.Pickup = "berlin" },
		"identities": func(r *ReserveRequest) { r.Identities = []string{"a", "b"} }, "one identity": func(r *ReserveRequest) { r.Identities = []string{"a"} },
		"metadata": func(r *ReserveRequest) { r.Metadata["a"] = "2" }, "more lines": func(r *ReserveRequest) { r.Lines = append(r.Lines, r.Lines[0]) },
	} {
		r := base()
		change(&r)
		if other, twice := seen[r.fingerprint()]; twice {
			t.Errorf("%s and %s share a fingerprint", name, other)
		}
		seen[r.fingerprint()] = name
	}
	again := base()
	again.ID = "another"
	if seen[again.fingerprint()] != "base" {
		t.Error("the id changes the fingerprint")
	}
}

// TestFingerprint_Upgrade checks the fingerprints of requests against those that the first version of this
// package gave them: a call that is repeated across an upgrade must be recognised.
func TestFingerprint_Upgrade(t *testing.T) {
	north, east := 52.5, 13.4
	full := ReserveRequest{
		ID: "ord", Channel: "web", Customer: "c-9", Order: "5512", Pickup: "store-7", TTL: time.Minute, Split: location.SplitLines,
		ShipTo:   &location.Address{Country: "DE", Region: "BE", PostalCode: "10115", Latitude: &north, Longitude: &east},
		Lines:    []LineRequest{{Line: "1", SKU: "TEE", Quantity: 2, Location: "berlin"}, {Line: "2", SKU: "CAP", Quantity: 1}},
		Metadata: map[string]string{"cart": "x", "agent": ""},
	}
	for _, c := range []struct {
		request ReserveRequest
		want    string
	}{
		{order("ord", "1:TEE:1"), "vWmVfRZtk9fnfcwxDF8DbA"},
		{order("ord", "1:TEE:1:berlin 2:CAP:3"), "z4yQG0Xg8QSlMVc9IiWSUQ"},
		{full, "et94FDdUjsJz4VkXWmu0iA"},
	} {
		if got := c.request.fingerprint(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.request, got, c.want)
		}
	}
}
