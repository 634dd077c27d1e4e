package cache

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// zoned returns a directory with berlin, which ships to DE, lyon, which ships to FR, and the store
// corner, which ships nowhere and is for pickup.
func zoned(split location.Split) location.Directory {
	return location.Directory{
		Locations: []location.Location{
			{ID: "berlin", Zones: []string{"de"}}, {ID: "lyon", Zones: []string{"fr"}}, {ID: "corner", Pickup: true},
		},
		Zones:    []location.Zone{{ID: "de", Countries: []string{"DE"}}, {ID: "fr", Countries: []string{"FR"}}},
		Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: []location.ID{"berlin", "lyon", "corner"}, Split: split}},
	}
}

// going returns an order whose lines go to these destinations: "DE" and "FR" are addresses, "corner" is
// a store, and "" is the destination of the request, the first.
func going(lines string, to ...string) ReserveRequest {
	r := order("ord", lines)
	set := func(text string, address **location.Address, store *location.ID) {
		if len(text) == 2 {
			*address = &location.Address{Country: text}
		} else {
			*store = location.ID(text)
		}
	}
	set(to[0], &r.ShipTo, &r.Pickup)
	for i, text := range to[1:] {
		set(text, &r.Lines[i].ShipTo, &r.Lines[i].Pickup)
	}
	return r
}

// TestReserve_Destinations checks that each line is routed to its own destination.
func TestReserve_Destinations(t *testing.T) {
	everywhere := "X@berlin=5 X@lyon=5 X@corner=5 Y@berlin=5 Y@lyon=5 Y@corner=5"
	for _, c := range []struct {
		name, stock string
		split       location.Split
		request     ReserveRequest
		want        string
	}{
		{"one line is collected", everywhere, "", going("1:X:1 2:Y:1", "DE", "", "corner"), "berlin:1, corner:1"},
		{"the only line is collected", everywhere, "", going("1:X:1", "DE", "corner"), "corner:1"},
		{"one line is shipped", everywhere, "", going("1:X:1 2:Y:1", "corner", "FR"), "lyon:1, corner:1"},
		{"two addresses", everywhere, "", going("1:X:1 2:Y:1", "DE", "", "FR"), "berlin:1, lyon:1"},
		{"all lines have their own", everywhere, "", going("1:X:1 2:Y:1 3:X:1", "", "FR", "FR", "DE"), "lyon:1, lyon:1, berlin:1"},
		{"an address for a request without one", everywhere, "", going("1:X:1 2:Y:1", "", "", "FR"), "lyon:1, lyon:1"},
		{"never split, and one location cannot serve both", everywhere, "never", going("1:X:1 2:Y:1", "DE", "", "corner"), "insufficient_stock | 2 Y 0 of 1"},
		{"a store without the units", "X@berlin=5 Y@berlin=5 Y@corner=0", "", going("1:X:1 2:Y:1", "DE", "", "corner"), "insufficient_stock | 2 Y 0 of 1"},
		{"a store without a level", "X@berlin=5 Y@berlin=5", "", going("1:X:1 2:Y:1", "DE", "", "corner"),
			"no_location | 2 berlin not_pickup | 2 lyon not_pickup | 2 corner no_level"},
		{"an address that nobody ships to", everywhere, "", going("1:X:1 2:Y:1", "DE", "", "NO"),
			"no_location | 2 berlin zone | 2 lyon zone | 2 corner zone"},
		{"a store that nobody knows", everywhere, "", going("1:X:1 2:Y:1", "DE", "mars"),
			"no_location | 1 berlin not_pickup | 1 lyon not_pickup | 1 corner not_pickup | 1 mars unknown_location"},
	} {
		operation{name: c.name, stock: c.stock, given: calls(direct(zoned(c.split))), when: served(c.request), answer: c.want}.runAnswer(t)
	}
}

// TestReserve_DestinationsAgain checks that a destination is part of the request that an id stands for,
// and that the event has the destinations.
func TestReserve_DestinationsAgain(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{TTL: 10 * time.Second})
		b.stock("X@berlin=5 Y@corner=5 Y@berlin=5")
		direct(zoned(""))(b)
		r := going("1:X:1 2:Y:1", "DE", "", "corner")
		const held = "held v1 until 10s | 1 X 1/1 berlin:1 | 2 Y 1/1 corner:1"
		equal(t, "first", reserve(r)(b), held)
		equal(t, "again", reserve(r)(b), "again "+held)
		for _, other := range []ReserveRequest{going("1:X:1 2:Y:1", "DE"), going("1:X:1 2:Y:1", "DE", "corner"), going("1:X:1 2:Y:1", "DE", "", "FR")} {
			equal(t, "another request", reserve(other)(b), "id_conflict")
		}
		events := b.events()
		equal(t, "kept", events[len(events)-1].Extra, `{"ship_to":{"country":"DE"},"lines":{"2":{"pickup":"corner"}}}`)
		b.invariants()
	})
}

// TestReserve_DestinationFaults checks the destination of a line by itself.
func TestReserve_DestinationFaults(t *testing.T) {
	north := 91.0
	r := going("1:X:1 2:X:1 3:X:1", "DE", "corner", "XX", "{")
	r.Lines[0].ShipTo = &location.Address{Latitude: &north, PostalCode: "1*"}
	equal(t, "faults", toldError(r.validate(time.Hour)), "invalid_request"+
		" | /lines/0/ship_to/postal_code is \"1*\", must be that of one address: no *, ?, ! or .."+
		" | /lines/0/ship_to needs both latitude and longitude, or neither | /lines/0/ship_to/latitude must be from -90 to 90 degrees"+
		" | /lines/0/pickup must not be given together with ship_to"+
		" | /lines/1/ship_to/country is \"XX\", must be two letters of ISO 3166-1, such as DE"+
		" | /lines/2/pickup must not contain { or }")
}

// TestRoute_Destinations explains each line by its own destination.
func TestRoute_Destinations(t *testing.T) {
	e := redistest.Engines(t)[0]
	e.Flush(t)
	b := newBench(t, e.Client, Options{})
	b.stock("X@berlin=5 Y@corner=5 Y@berlin=5")
	direct(zoned(""))(b)
	route, err := b.store.Route(b.ctx, going("1:X:1 2:Y:1", "DE", "", "corner"))
	if err != nil || route.Refusal != nil {
		t.Fatal(err, route.Refusal)
	}
	equal(t, "route", fmt.Sprint(route.Lines), "[{1 X [berlin] [{1 lyon zone} {1 corner zone}] [{berlin 1}]}"+
		" {2 Y [corner] [{2 berlin not_pickup} {2 lyon not_pickup}] [{corner 1}]}]")
}

// TestLedgerOnly checks that the event of a request without the newer fields is as it was.
func TestLedgerOnly(t *testing.T) {
	r := going("1:X:1", "DE")
	r.Split, r.Metadata = "lines", map[string]string{"cart": "x"}
	equal(t, "kept", r.ledgerOnly(), `{"ship_to":{"country":"DE"},"split":"lines","metadata":{"cart":"x"}}`)
	plain := order("ord", "1:X:1")
	equal(t, "of a plain request", plain.ledgerOnly(), "")
	own := going("1:X:1", "", "FR")
	if !json.Valid([]byte(own.ledgerOnly())) {
		t.Errorf("%q", own.ledgerOnly())
	}
	equal(t, "of a line", own.ledgerOnly(), `{"lines":{"1":{"ship_to":{"country":"FR"}}}}`)
}
