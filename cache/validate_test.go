package cache

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// TestInvalid answers bad input with every fault of it, and changes nothing.
func TestInvalid(t *testing.T) {
	long := strings.Repeat("ö", IdentifierBytesMax/2)
	with := func(change func(*ReserveRequest)) func(*bench) string {
		r := order("ord", "1:TEE:1")
		change(&r)
		return reserve(r)
	}
	north := 91.0
	cases := []struct {
		name   string
		when   func(*bench) string
		answer string
	}{
		{"no id", with(func(r *ReserveRequest) { r.ID = "" }), "/id is required"},
		{"long id", with(func(r *ReserveRequest) { r.ID = long + "x" }), "/id is 129 bytes long, at most 128 are allowed"},
		{"brace", with(func(r *ReserveRequest) { r.ID = "a}b" }), "/id must not contain { or }"},
		{"dots", with(func(r *ReserveRequest) { r.ID = ".." }), `/id must not be ".."`},
		{"control character", with(func(r *ReserveRequest) { r.Order = "a\x1fb" }), "/order must not contain control characters"},
		{"C1 control character", with(func(r *ReserveRequest) { r.Customer = "a\u0085" }), "/customer must not contain control characters"},
		{"not UTF-8", with(func(r *ReserveRequest) { r.Channel = "\xff" }), "/channel is not valid UTF-8"},
		{"zero", with(func(r *ReserveRequest) { r.Lines[0].Quantity = 0 }), "/lines/0/quantity must be from 1 to 2147483647"},
		{"negative", with(func(r *ReserveRequest) { r.Lines[0].Quantity = -1 }), "/lines/0/quantity must be from 1 to 2147483647"},
		{"over 2^31-1", with(func(r *ReserveRequest) { r.Lines[0].Quantity = 1 << 31 }), "/lines/0/quantity must be from 1 to 2147483647"},
		{"17 digits", with(func(r *ReserveRequest) { r.Lines[0].Quantity = 12345678901234567 }), "/lines/0/quantity must be from 1 to 2147483647"},
		{"no lines", with(func(r *ReserveRequest) { r.Lines = nil }), "/lines has 0 lines, must have from 1 to 500"},
		{"1,000 lines", with(func(r *ReserveRequest) { r.Lines = make([]LineRequest, 1000) }), "/lines has 1000 lines, must have from 1 to 500"},
		{"one line twice", with(func(r *ReserveRequest) { r.Lines = append(r.Lines, r.Lines[0]) }), `/lines/1/line is "1", the same as line 0`},
		{"short ttl", with(func(r *ReserveRequest) { r.TTL = time.Millisecond }), "/ttl_seconds must be from 1 to 86400"},
		{"long ttl", with(func(r *ReserveRequest) { r.TTL = 25 * time.Hour }), "/ttl_seconds must be from 1 to 86400"},
		{"split", with(func(r *ReserveRequest) { r.Split = "some" }), `/split is "some", must be never, lines or units`},
		{"address and pickup", with(func(r *ReserveRequest) { r.ShipTo, r.Pickup = &location.Address{}, "berlin" }),
			"/pickup must not be given together with ship_to"},
		{"address", with(func(r *ReserveRequest) { r.ShipTo = &location.Address{Country: "Germany", Latitude: &north} }),
			`/ship_to/country is "Germany", must be two letters of ISO 3166-1, such as DE | /ship_to needs both latitude and longitude, or neither` +
				" | /ship_to/latitude must be from -90 to 90 degrees"},
		{"metadata", with(func(r *ReserveRequest) { r.Metadata = map[string]string{"a/b": strings.Repeat("x", 513)} }),
			"/metadata/a~1b is 513 bytes long, at most 512 are allowed"},
		{"identities", with(func(r *ReserveRequest) { r.Identities = []string{"a", "a", "{"} }),
			"/identities/1 is \"a\", the same as identity 0 | /identities/2 must not contain { or }"},
		{"many identities", with(func(r *ReserveRequest) { r.Identities = strings.Split("a b c d e f g h i", " ") }),
			"/identities has 9 identities, at most 8 are allowed"},
		{"much metadata", with(func(r *ReserveRequest) {
			r.Metadata = map[string]string{}
			for i := range 17 {
				r.Metadata[fmt.Sprint(i)] = ""
			}
		}), "/metadata has 17 keys, at most 16 are allowed"},
		{"every fault", with(func(r *ReserveRequest) { r.ID, r.Lines[0].SKU, r.Lines[0].Quantity = "", "", 0 }),
			"/id is required | /lines/0/sku is required | /lines/0/quantity must be from 1 to 2147483647"},
		{"confirm in part", func(b *bench) string {
			return told(b.store.Confirm(b.ctx, TransitionRequest{ID: "ord", Version: 1, Lines: parts("1:1")}))
		}, "/lines must be empty: a reservation is confirmed whole"},
		{"negative version", confirm("ord", -1), "/version must be from 1 to 2147483647"},
		{"part of zero units", release("ord", 1, "1:0"), "/lines/0/quantity must be from 1 to 2147483647"},
		{"one part twice", release("ord", 1, "1:1 1:1"), `/lines/1/line is "1", the same as line 0`},
		{"long extension", extend("ord", 25*time.Hour, 0), "/ttl_seconds must be from 1 to 86400"},
		{"count below zero", adjust("op", Change{SKU: "TEE", Location: "berlin", OnHand: units(-3)}),
			"/changes/0/on_hand must be from 0 to 2147483647"},
		{"count and delta", adjust("op", Change{SKU: "TEE", Location: "berlin", OnHand: units(3), Delta: units(1)}),
			"/changes/0/delta must not be given together with on_hand"},
		{"no change", adjust("op", Change{SKU: "TEE", Location: "berlin"}),
			"/changes/0/on_hand is required if neither safety_stock nor backorder_limit is given"},
		{"delta of zero", adjust("op", Change{SKU: "TEE", Location: "berlin", Delta: units(0)}),
			"/changes/0/delta must be from -2147483647 to 2147483647 and not 0"},
		{"no changes", adjust("op"), "/changes has 0 levels, must have from 1 to 500"},
	}
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=5")
		before := b.state(0)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				equal(t, "answer", c.when(b), "invalid_request | "+c.answer)
				equal(t, "state", b.state(0), before)
			})
		}
		if _, err := b.store.Reserve(b.ctx, order(long, "1:TEE:1")); err != nil {
			t.Errorf("128 bytes: %v", err)
		}
		if _, err := b.store.LevelPage(b.ctx, LevelFilter{Limit: 501, Cursor: "x"}); !errors.Is(err, ErrInvalid) {
			t.Errorf("page: %v", err)
		}
	})
}

// TestInvalid_Cursor refuses a cursor that no server issued, before it asks Redis or the ledger.
func TestInvalid_Cursor(t *testing.T) {
	b := newBench(t, redistest.Engines(t)[0].Client, Options{})
	for _, text := range []string{"x", "\x1fa", "1\x1f", "1\x1f\x00", "\x00\x1fa", "1\x1f\xff", "\xff\x1fa", "1\x1fa\x1fb"} {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(text))
		if _, err := b.store.LevelPage(b.ctx, LevelFilter{Cursor: cursor}); !errors.Is(err, ErrInvalid) {
			t.Errorf("levels behind %q: %v", text, err)
		}
		if _, err := b.store.Search(b.ctx, ReservationFilter{Cursor: cursor}); !errors.Is(err, ErrInvalid) {
			t.Errorf("reservations behind %q: %v", text, err)
		}
	}
	for _, created := range []int64{math.MinInt64, -1, 1<<45 + 1, math.MaxInt64} {
		if _, err := b.store.Search(b.ctx, ReservationFilter{Cursor: wire.ReservationCursor(created, "a")}); !errors.Is(err, ErrInvalid) {
			t.Errorf("reservations made before %d: %v", created, err)
		}
	}
}

// TestLevelPage lists all levels once, in order, page by page, and by location and prefix.
func TestLevelPage(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("B@y=1 A@z=1 A@x=1 A!@x=1 AB@x=1 B@x=1")
		for _, c := range []struct {
			filter LevelFilter
			want   string
		}{
			{LevelFilter{}, "A@x A@z A!@x AB@x B@x B@y"},
			{LevelFilter{Limit: 1}, "A@x A@z A!@x AB@x B@x B@y"},
			{LevelFilter{Limit: 4}, "A@x A@z A!@x AB@x B@x B@y"},
			{LevelFilter{Limit: 6}, "A@x A@z A!@x AB@x B@x B@y"},
			{LevelFilter{SKUPrefix: "A", Limit: 2}, "A@x A@z A!@x AB@x"},
			{LevelFilter{SKUPrefix: "AB"}, "AB@x"},
			{LevelFilter{SKUPrefix: "C"}, ""},
			{LevelFilter{Location: "x", Limit: 2}, "A@x A!@x AB@x B@x"},
			{LevelFilter{Location: "x", SKUPrefix: "B"}, "B@x"},
		} {
			var got []string
			filter := c.filter
			for pages := 1; ; pages++ {
				page, err := b.store.LevelPage(b.ctx, filter)
				if err != nil {
					t.Fatal(err)
				}
				if filter.Limit > 0 && len(page.Levels) > filter.Limit {
					t.Errorf("%d levels in a page of %d", len(page.Levels), filter.Limit)
				}
				for _, l := range page.Levels {
					got = append(got, string(l.SKU)+"@"+string(l.Location))
				}
				if filter.Cursor = page.Next; filter.Cursor == "" {
					break
				}
				if pages > 6 {
					t.Fatal("the pages do not end")
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%+v: %s, want %s", c.filter, strings.Join(got, " "), c.want)
			}
		}
		b.stock("AA@x=1") // a level is listed as soon as it is made
		if page, err := b.store.LevelPage(b.ctx, LevelFilter{SKUPrefix: "AA"}); err != nil || len(page.Levels) != 1 {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

// TestLevelPage_NewLevel checks that each caller finds the level that it has just made, while
// others list too.
func TestLevelPage_NewLevel(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		var all sync.WaitGroup
		for caller := range 8 {
			all.Go(func() {
				for i := range 40 {
					sku := fmt.Sprintf("SKU-%d-%d", caller, i)
					change := Change{SKU: location.SKU(sku), Location: "berlin", OnHand: units(1)}
					if _, err := b.store.Adjust(b.ctx, AdjustRequest{ID: sku, Changes: []Change{change}}); err != nil {
						t.Error(err)
					}
					page, err := b.store.LevelPage(b.ctx, LevelFilter{SKUPrefix: sku})
					if err != nil || len(page.Levels) == 0 || page.Levels[0].SKU != location.SKU(sku) {
						t.Errorf("%s is not listed: %+v, %v", sku, page, err)
					}
				}
			})
		}
		all.Wait()
	})
}

// TestReserve_LocationOfAnotherStore checks that a store learns of a location that another store made: no refusal
// rests on an old list.
func TestReserve_LocationOfAnotherStore(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b, other := newBench(t, e.Client, Options{}), newBench(t, e.Client, Options{})
		b.stock("TEE@berlin=1 MUG@berlin=1")
		equal(t, "first", told(other.store.Reserve(b.ctx, order("a", "1:TEE:1"))), "held v1 until 600s | 1 TEE 1/1 berlin:1")
		b.stock("CAP@lyon=1")
		equal(t, "a SKU that is only there", told(other.store.Reserve(b.ctx, order("c", "1:CAP:1"))), "held v1 until 600s | 1 CAP 1/1 lyon:1")
		b.ops = 100
		b.stock("TEE@oslo=1")
		equal(t, "a SKU that is sold out at the first location", told(other.store.Reserve(b.ctx, order("b", "1:TEE:1"))), "held v1 until 600s | 1 TEE 1/1 oslo:1")
		// The store also reads the list again if its version goes back, as after a restore.
		e.Client.HIncrBy(b.ctx, b.store.keys.Stock, wire.FieldLocations, -1)
		equal(t, "with an older list", told(other.store.Reserve(b.ctx, order("d", "1:TEE:1"))), "insufficient_stock | 1 TEE 0 of 1")
		b.invariants()
	})
}
