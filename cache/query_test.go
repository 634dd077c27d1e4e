package cache

import (
	"fmt"
	"testing"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// TestLevelPage_Query reads levels of some SKUs at some locations from Redis, with the last entry of the
// stream.
func TestLevelPage_Query(t *testing.T) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		b := newBench(t, e.Client, Options{})
		b.stock("A@x=1 A@y=1 B@x=1 B@y=1 C@x=1")
		for _, c := range []struct {
			filter LevelFilter
			want   string
		}{
			{LevelFilter{}, "[A@x A@y B@x B@y C@x]"},
			{LevelFilter{SKUs: []location.SKU{"C", "A", "none"}}, "[A@x A@y C@x]"},
			{LevelFilter{SKUs: []location.SKU{"C", "A"}, Locations: ids("y")}, "[A@y]"},
			{LevelFilter{Locations: ids("x none")}, "[A@x B@x C@x]"},
			{LevelFilter{SKUs: []location.SKU{"none"}}, "[]"},
		} {
			page, err := b.store.LevelPage(b.ctx, c.filter)
			names := []string{}
			for _, l := range page.Levels {
				names = append(names, fmt.Sprintf("%s@%s", l.SKU, l.Location))
			}
			if got := fmt.Sprint(names); err != nil || got != c.want {
				t.Errorf("%+v: %s, %v; want %s", c.filter, got, err, c.want)
			}
			last, err := b.client.XRevRangeN(b.ctx, b.store.keys.Events, "+", "-", 1).Result()
			if err != nil || page.Position != last[0].ID {
				t.Errorf("%+v: position %q, want %v, %v", c.filter, page.Position, last, err)
			}
		}
		over := LevelFilter{SKUs: make([]location.SKU, QuerySKUsMax+1), Locations: ids("x {")}
		_, err := b.store.LevelPage(b.ctx, over)
		equal(t, "faults", toldError(err), "invalid_request | /skus has 201 entries, at most 200 are allowed | /locations/1 must not contain { or }")
	})
}
