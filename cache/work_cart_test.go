package cache

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// cart is the shape of a reservation, and of the stock that it meets.
type cart struct {
	lines, places, components, limits int  // components and limits: of each line
	same                              bool // all lines are of one SKU
	late                              bool // the lines may be backordered
	tied                              bool // the locations rank by available units
	split                             location.Split
	stock                             string // one of stocks
	id                                string // ends each identifier
}

// stocks lists the patterns of stock. The least is 0 units.
var stocks = map[string]func(c *cart, line, place int) int64{
	"plenty":   func(*cart, int, int) int64 { return 1_000_000 },
	"nothing":  func(*cart, int, int) int64 { return 0 },
	"one each": func(*cart, int, int) int64 { return 1 },
	"one line a place": func(c *cart, line, place int) int64 { // and none for the last line
		if line == place%c.lines && line < c.lines-1 || c.same {
			return c.quantity(line)
		}
		return 0
	},
	"rising": func(_ *cart, _, place int) int64 { return int64(place + 1) },
}

// quantity returns the units of a line that the request asks for.
func (c *cart) quantity(line int) int64 {
	if c.stock == "one each" && c.split == location.SplitUnits {
		return int64(min(c.places, PartsMax/c.lines/max(1, c.components)))
	}
	return int64(c.lines - line + 1)
}

func (c *cart) String() string {
	return fmt.Sprintf("%d lines at %d locations, %d components, %d limits, same %t, late %t, tied %t, %s, %s, ids %d bytes",
		c.lines, c.places, c.components, c.limits, c.same, c.late, c.tied, c.split, c.stock, len(c.id))
}

func (c *cart) place(i int) location.ID { return location.ID("l" + strconv.Itoa(i) + c.id) }

func (c *cart) sku(line int) location.SKU {
	if c.same {
		line = 0
	}
	return location.SKU("s" + strconv.Itoa(line) + c.id)
}

func (c *cart) component(line, i int) location.SKU {
	return location.SKU("c" + strconv.Itoa(i) + "-" + string(c.sku(line)))
}

// accepted reports whether the limits allow the shape.
func (c *cart) accepted() bool {
	components := max(1, c.components)
	return c.lines*c.places*components <= candidatesMax(c.parts(), c.late) && c.parts() <= PartsMax
}

func (c *cart) request(id string) ReserveRequest {
	r := ReserveRequest{ID: id, Split: c.split, Customer: "ann", TTL: time.Minute}
	for i := range c.lines {
		r.Lines = append(r.Lines, LineRequest{Line: strconv.Itoa(i) + c.id, SKU: c.sku(i), Quantity: c.quantity(i), Backorder: c.late})
	}
	return r
}

// directory returns the directory of a cart.
func (c *cart) directory() location.Directory {
	d := location.Directory{Channels: []location.SalesChannel{{ID: "web", Default: true}}}
	if c.tied {
		d.Channels[0].Rank = []location.Rank{location.RankHighestStock}
	}
	for i := range c.places {
		d.Locations = append(d.Locations, location.Location{ID: c.place(i)})
		d.Channels[0].Locations = append(d.Channels[0].Locations, c.place(i))
	}
	for i := range c.limits {
		d.Limits = append(d.Limits, location.Limit{ID: "limit" + strconv.Itoa(i) + c.id, PerCustomer: QuantityMax})
	}
	for line := range c.lines {
		if c.components == 0 || c.same && line > 0 {
			break
		}
		kit := location.Kit{SKU: c.sku(line)}
		for i := range c.components {
			kit.Components = append(kit.Components, location.Component{SKU: c.component(line, i), Quantity: 1})
		}
		d.Kits = append(d.Kits, kit)
	}
	return d
}

// set gives Redis the stock of a cart, and the store its directory.
func (w *workbench) set(c *cart) {
	w.tb.Helper()
	if err := w.client.Del(w.ctx, w.store.keys.Reservations, w.store.keys.Deadlines, w.store.keys.Limits, w.store.keys.Events,
		w.store.keys.Operations, w.store.keys.Stock, w.store.keys.Levels).Err(); err != nil {
		w.tb.Fatal(err)
	}
	var stock, counts []any
	for line := range c.lines {
		for place := range c.places {
			for i := range max(1, c.components) {
				sku := c.sku(line)
				if c.components > 0 {
					sku = c.component(line, i)
				}
				units, field := stocks[c.stock](c, line, place), wire.LevelField(sku, c.place(place))
				stock = append(stock, field, units)
				counts = append(counts, field, strings.Join([]string{strconv.FormatInt(units, 10), "0", "0", "0"}, wire.UnitSeparator))
			}
		}
	}
	stock = append(stock, wire.FieldEpoch, 1, wire.FieldLocations, 1)
	for _, list := range []struct {
		key    string
		values []any
	}{{w.store.keys.Stock, stock}, {w.store.keys.Levels, counts}} {
		if err := w.client.HSet(w.ctx, list.key, list.values...).Err(); err != nil {
			w.tb.Fatal(err)
		}
	}
	direct(c.directory())(w.bench)
}

// fit shortens the identifiers of a cart until its lines are not too large.
func (w *workbench) fit(c *cart) {
	for ; len(c.id) > 0; c.id = c.id[1:] {
		rules, err := location.Compile(c.directory())
		if err != nil {
			w.tb.Fatal(err)
		}
		request := c.request("r")
		if (&reserveCall{request: &request}).route(rules, time.Minute) == nil {
			return
		}
	}
}

// reserves returns n requests of a cart's shape, or as many as one batch takes.
func (w *workbench) reserves(c *cart, prefix string, n int) []shard.Request {
	var list []ReserveRequest
	for i := range n {
		list = append(list, c.request(prefix+strconv.Itoa(i)+c.id))
	}
	return batchOf(w.reserveRequests(list))
}

// batchOf returns the requests that fit one batch: see queue.fill.
func batchOf(list []shard.Request) []shard.Request {
	weight := 0
	for i, r := range list {
		if weight += r.Weight(); i > 0 && weight > 256 {
			return list[:i]
		}
	}
	return list
}

// carts calls visit with each accepted shape.
func carts(visit func(*cart)) {
	for _, size := range [][2]int{{1, 1}, {1, 1000}, {2, 1000}, {8, 250}, {20, 100}, {44, 45}, {100, 20}, {100, 1}, {300, 5}, {500, 2}, {500, 1}} {
		for _, components := range []int{0, 2, 20} {
			for _, limits := range []int{0, 1, 100} {
				for _, stock := range slices.Sorted(maps.Keys(stocks)) {
					for _, split := range []location.Split{location.SplitNever, location.SplitLines, location.SplitUnits} {
						if limits > 1 && (size[0] > 1 || components > 0) {
							continue
						}
						c := cart{lines: size[0], places: size[1], components: components, limits: limits, split: split, stock: stock}
						c.shrink()
						c.same = stock == "one line a place" && split == location.SplitUnits
						c.tied = stock == "rising" || stock == "one each" && split == location.SplitLines
						visit(&c)
						if c.late = true; stock != "plenty" && limits == 0 {
							c.shrink()
							visit(&c)
						}
					}
				}
			}
		}
	}
}

// parts returns the parts of a reservation whose lines are each served by one location.
func (c *cart) parts() int {
	if c.components == 0 {
		return c.lines * (1 + c.limits)
	}
	return c.lines * (c.components*(1+c.limits) + c.limits)
}

// shrink lowers the lines and the places of a cart until the limits allow it.
func (c *cart) shrink() {
	components, most := max(1, c.components), 0
	for c.lines = min(c.lines, c.lines*PartsMax/max(c.parts(), 1)); ; c.lines-- {
		if most = candidatesMax(c.parts(), c.late); c.lines == 1 || c.lines*components <= most && c.parts() <= PartsMax {
			break
		}
	}
	c.places = max(1, min(c.places, most/c.lines/components))
}
