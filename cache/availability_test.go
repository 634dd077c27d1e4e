package cache

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// TestAvailability_NewLocation checks that a location which another process made counts at once,
// even for a process that made no other call since.
func TestAvailability_NewLocation(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b, other := newBench(t, e.Client, Options{}), newBench(t, e.Client, Options{})
		for _, step := range []struct {
			stock string
			want  int64
		}{{"MUG@berlin=1", 0}, {"TEE@berlin=5", 5}, {"TEE@aachen=7", 12}} {
			b.stock(step.stock)
			got, err := other.store.Availability(b.ctx, AvailabilityRequest{SKUs: []location.SKU{"TEE"}})
			if err != nil || got["TEE"] != step.want {
				t.Errorf("after %s: available %v, want %d; error %v", step.stock, got, step.want, err)
			}
		}
		b.stock("TEE@lyon=20")
		if route, err := other.store.Route(b.ctx, order("", "1:TEE:20")); err != nil || route.Refusal != nil {
			t.Errorf("route: %v, %v", route.Refusal, err)
		}
	})
}

// TestAvailability checks the sums over the locations of a channel, and that kits count whole.
func TestAvailability(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("TEE@a=4 TEE@b=5 TEE@d=100 CAP@a=9 CAP@b=1")
		direct(gift(""))(b)
		got, err := b.store.Availability(b.ctx, AvailabilityRequest{SKUs: []location.SKU{"TEE", "GIFT", "MUG", "CAP"}})
		equal(t, "available", fmt.Sprint(got, err), "map[CAP:10 GIFT:2 MUG:0 TEE:9] <nil>")
		got, err = b.store.Availability(b.ctx, AvailabilityRequest{Channel: "shop", SKUs: []location.SKU{"TEE"}})
		equal(t, "another channel", fmt.Sprint(got, err), "map[TEE:100] <nil>")
		_, err = b.store.Availability(b.ctx, AvailabilityRequest{Channel: "fair"})
		equal(t, "no SKUs", toldError(err), "invalid_request | /skus has 0 SKUs, must have from 1 to 200")
	})
}

// TestAvailability_TooMany checks that a request for too many levels is refused.
func TestAvailability_TooMany(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		var many location.Directory
		var places []location.ID
		for i := range AvailabilityLevelsMax/AvailabilityMax + 1 {
			places = append(places, location.ID(fmt.Sprint("l", i)))
			many.Locations = append(many.Locations, location.Location{ID: places[i]})
		}
		many.Channels = []location.SalesChannel{{ID: "web", Default: true, Locations: places}}
		direct(many)(b)
		skus := make([]location.SKU, AvailabilityMax)
		for i := range skus {
			skus[i] = location.SKU(fmt.Sprint("SKU-", i))
		}
		_, err := b.store.Availability(b.ctx, AvailabilityRequest{SKUs: skus})
		equal(t, "too many", toldError(err), "invalid_request | /skus would be looked up at 10200 levels, and at most 10000 can be: send fewer")
		got, err := b.store.Availability(b.ctx, AvailabilityRequest{SKUs: skus[4:]})
		if err != nil || len(got) != AvailabilityMax-4 {
			t.Errorf("the most levels: %d SKUs, %v", len(got), err)
		}
	})
}
