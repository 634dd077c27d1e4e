package cache

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// workScript takes about as long as a call may keep Redis busy: 5 to 7 ms on the machine of
// docs/performance.md, whose speed varies. It does what the scripts do most: it splits text, makes
// tables and joins text.
const workScript = `
local parts = {}
for i = 1, 4500 do
  local name, units = string.match('TEE-' .. i .. '\31' .. i, '^([^\31]*)\31(%d+)$')
  parts[i] = { name = name, units = tonumber(units) }
end
local texts = {}
for i, part in ipairs(parts) do texts[i] = part.name .. '\31' .. part.units end
return #table.concat(texts, '\30')`

// sampled is one in how many shapes are measured outside the campaign, which measures all.
const sampled = 7

// workbench measures the work of single script calls on a real Redis, as a share of workScript.
type workbench struct {
	*bench
	sha   string
	seen  int             // shapes so far
	worst map[Verb]string // what the costliest call of a verb was
	share map[Verb]float64
}

func newWorkbench(t *testing.T) *workbench {
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = client.Close() })
	w := &workbench{bench: newBench(t, client, Options{Timeout: time.Minute, TTLMax: 24 * time.Hour}), worst: map[Verb]string{}, share: map[Verb]float64{}}
	w.stock("TEE@l0=1") // loads the scripts
	var err error
	if w.sha, err = client.ScriptLoad(w.ctx, workScript).Result(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for verb, share := range w.share {
			t.Logf("%-10s %3.0f %% of the bound: %s", verb, 100*share, w.worst[verb])
		}
	})
	return w
}

// cpu returns the processor time that Redis takes for calls.
func (w *workbench) cpu(calls func()) time.Duration {
	before, err1 := redistest.UsedCPU(w.ctx, w.client)
	calls()
	after, err2 := redistest.UsedCPU(w.ctx, w.client)
	if err1 != nil || err2 != nil {
		w.tb.Fatal(err1, err2)
	}
	return after - before
}

// sample is bounded for one in sampled shapes, or for all of them in the campaign.
func (w *workbench) sample(verb Verb, name string, prepare, call func()) {
	w.tb.Helper()
	if w.seen++; full || w.seen%sampled == 0 {
		w.bounded(verb, name, prepare, call)
	}
}

// bounded checks that one call does no more work than workScript, or than twice that outside the
// campaign. Other work on the machine makes both slower, not always alike. So it measures a call that
// seems too slow again, up to ten times.
func (w *workbench) bounded(verb Verb, name string, prepare, call func()) {
	w.tb.Helper()
	least, most := 0.0, 1.2 // the worst reserve takes 0.9 to 1.1
	if verb == VerbAdjust {
		most = 1.6 // an operation of ChangesMax levels is the only call that takes longer: all are applied or none
	}
	if !full {
		most *= 2
	}
	for attempt := range 10 {
		prepare()
		cost := w.cpu(call)
		bound := w.cpu(func() { w.client.EvalSha(w.ctx, w.sha, nil) })
		if share := float64(cost) / float64(bound); attempt == 0 || share < least {
			least = share
		}
		if least < most {
			break
		}
	}
	if least >= most {
		w.tb.Errorf("%s of %s takes %.1f times as long as a call may", verb, name, least)
	}
	if least > w.share[verb] {
		w.share[verb], w.worst[verb] = least, name
	}
}

// cart is the shape of a reservation, and of the stock that it meets.
type cart struct {
	lines, places, components, limits int  // components and limits: of each line
	same                              bool // all lines are of one SKU
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
	return fmt.Sprintf("%d lines at %d locations, %d components, %d limits, same %t, tied %t, %s, %s, ids %d bytes",
		c.lines, c.places, c.components, c.limits, c.same, c.tied, c.split, c.stock, len(c.id))
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
	return c.lines*c.places*components <= CandidatesMax && c.lines*(components*(1+c.limits)+c.limits) <= PartsMax
}

func (c *cart) request(id string) ReserveRequest {
	r := ReserveRequest{ID: id, Split: c.split, Customer: "ann", TTL: time.Minute}
	for i := range c.lines {
		r.Lines = append(r.Lines, LineRequest{Line: strconv.Itoa(i) + c.id, SKU: c.sku(i), Quantity: c.quantity(i)})
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
	for _, size := range [][2]int{{1, 1}, {1, 1000}, {2, 1000}, {8, 250}, {20, 100}, {44, 45}, {100, 20}, {100, 1}} {
		for _, components := range []int{0, 2, 20} {
			for _, limits := range []int{0, 1, 100} {
				for _, stock := range slices.Sorted(maps.Keys(stocks)) {
					for _, split := range []location.Split{location.SplitNever, location.SplitLines, location.SplitUnits} {
						c := cart{lines: size[0], places: size[1], components: components, limits: limits, split: split, stock: stock}
						c.places = min(c.places, max(1, CandidatesMax/c.lines/max(1, components)))
						c.lines = min(c.lines, PartsMax/(max(1, components)*(1+limits)+limits))
						if c.lines == 0 || limits > 1 && (size[0] > 1 || components > 0) {
							continue
						}
						c.same = stock == "one line a place" && split == location.SplitUnits
						c.tied = stock == "rising" || stock == "one each" && split == location.SplitLines
						visit(&c)
					}
				}
			}
		}
	}
}

// TestWork_Reserve searches for the reserve that keeps Redis busy for longest, alone and in a batch.
func TestWork_Reserve(t *testing.T) {
	w := newWorkbench(t)
	for _, size := range [][2]int{{20, 100}, {44, 45}, {100, 20}} {
		c := &cart{lines: size[0], places: size[1], split: location.SplitLines, stock: "one line a place"}
		var requests []shard.Request
		w.bounded(VerbReserve, c.String(), func() {
			w.set(c)
			requests = w.reserves(c, "r", 1)
		}, func() { w.batch(VerbReserve, requests...) })
	}
	carts(func(c *cart) {
		if !c.accepted() {
			t.Fatalf("%s would be refused", c)
		}
		for _, n := range []int{1, 256} {
			var requests []shard.Request
			if n > 1 && c.lines*c.places > 128 {
				continue // a batch has room for one of them
			}
			w.sample(VerbReserve, fmt.Sprintf("%d times %s", n, c), func() {
				w.set(c)
				requests = w.reserves(c, "r", n)
			}, func() { w.batch(VerbReserve, requests...) })
		}
	})
}

// holds lists the shapes of reservations that later steps are made of, and of how many.
var holds = []struct {
	cart
	n int
}{
	{cart{lines: 1, places: 1, stock: "plenty"}, 256},
	{cart{lines: 1, places: 1, components: 2, stock: "plenty"}, 256},
	{cart{lines: 1, places: 1, limits: 1, stock: "plenty"}, 256},
	{cart{lines: 1, places: 1, limits: 100, stock: "plenty"}, 64},
	{cart{lines: 3, places: 1, stock: "plenty"}, 64},
	{cart{lines: 100, places: 1, stock: "plenty"}, 64},
	{cart{lines: 15, places: 1, components: 20, stock: "plenty"}, 64},
	{cart{lines: 1, places: 300, stock: "one each", split: location.SplitUnits}, 1},
	{cart{lines: 1, places: 15, components: 20, stock: "one each", split: location.SplitUnits}, 1},
	{cart{lines: 10, places: 30, stock: "one each", split: location.SplitUnits}, 1},
}

// sendAll sends requests in as many calls as they need.
func (w *workbench) sendAll(verb Verb, list []shard.Request) {
	for len(list) > 0 {
		answers := w.batch(verb, batchOf(list)...)
		for _, a := range answers {
			if !slices.Contains([]string{wire.StatusHeld, wire.StatusDone, wire.StatusDoneDurable}, a.Status) {
				w.tb.Fatalf("%s answers %s %q", verb, a.Status, a.Payload)
			}
		}
		list = list[len(answers):]
	}
}

// steps returns a step of each of n reservations.
func (w *workbench) steps(verb Verb, c *cart, n int, version int64, parts bool) (list []shard.Request) {
	for i := range n {
		if verb == VerbMove && c.split == location.SplitUnits {
			break // all the stock is taken
		}
		r := TransitionRequest{ID: "r" + strconv.Itoa(i) + c.id, Version: version}
		if parts || verb == VerbReturn {
			for line := range c.lines {
				r.Lines = append(r.Lines, LineQuantity{Line: strconv.Itoa(line) + c.id, Quantity: 1})
			}
		}
		call := &transitionCall{verb: verb, request: &r, settled: settledAlways}
		switch verb {
		case VerbExtend:
			list = append(list, &extendCall{request: &ExtendRequest{ID: r.ID, TTL: time.Minute}})
			continue
		case VerbMove:
			call.move = &MoveRequest{ID: r.ID, Version: version, Line: "0" + c.id, To: c.place(c.places)}
		case VerbReturn:
			call.operation, call.fingerprint, call.back = "ret"+r.ID, "f", &returnArguments{to: c.place(c.places)}
		}
		list = append(list, call)
	}
	return list
}

// hold makes n reservations, and takes some steps of all of them.
func (w *workbench) hold(c *cart, n int, steps ...Verb) {
	more := *c // a place more than the reservations have: units move or return there
	if more.places++; c.split == location.SplitUnits {
		more.places = c.places // all the stock is taken
	}
	w.set(&more)
	direct(c.directory())(w.bench)
	for i := 0; i < n; {
		list := w.reserves(c, "r", n)[:0]
		for ; i < n && len(list) < 16; i++ {
			request := c.request("r" + strconv.Itoa(i) + c.id)
			list = append(list, w.reserveRequests([]ReserveRequest{request})...)
		}
		w.sendAll(VerbReserve, list)
	}
	for i, verb := range steps {
		w.sendAll(verb, w.steps(verb, c, n, int64(i+1), false))
	}
}

// TestWork_Steps searches for the step of reservations that keeps Redis busy for longest. A call that
// is given more than it may do answers only its first requests.
func TestWork_Steps(t *testing.T) {
	w := newWorkbench(t)
	for _, step := range []struct {
		after []Verb
		verb  Verb
		parts bool
	}{
		{nil, VerbExtend, false},
		{nil, VerbConfirm, false},
		{nil, VerbRelease, false},
		{nil, VerbRelease, true},
		{nil, VerbMove, false},
		{[]Verb{VerbConfirm}, VerbMove, false},
		{[]Verb{VerbConfirm}, VerbRelease, false},
		{[]Verb{VerbConfirm}, VerbRelease, true},
		{[]Verb{VerbConfirm}, VerbFulfill, false},
		{[]Verb{VerbConfirm}, VerbFulfill, true},
		{[]Verb{VerbConfirm, VerbFulfill}, VerbReturn, true},
	} {
		for _, h := range holds {
			for _, id := range []string{"", strings.Repeat("x", 100)} {
				c := h.cart
				c.id = id
				w.fit(&c)
				var requests []shard.Request
				w.sample(step.verb, fmt.Sprintf("%v of %d times %s, in parts %t", step.after, h.n, &c, step.parts), func() {
					w.hold(&c, h.n, step.after...)
					requests = batchOf(w.steps(step.verb, &c, h.n, int64(len(step.after)+1), step.parts))
				}, func() {
					for _, a := range w.batch(step.verb, requests...) {
						if a.Status != wire.StatusDone && a.Status != wire.StatusDoneDurable {
							t.Fatalf("%s answers %s %q to %s", step.verb, a.Status, a.Payload, &c)
						}
					}
				})
			}
		}
	}
}

// TestWork_Expire searches for the overdue holds that keep Redis busy for longest: if they expire, if
// they are confirmed after that, and if a large reservation reclaims their units.
func TestWork_Expire(t *testing.T) {
	w := newWorkbench(t)
	for _, h := range holds {
		c := h.cart
		overdue := func() {
			w.hold(&c, h.n)
			w.sendAll(VerbExtend, w.steps(VerbExtend, &c, h.n, 1, false)) // packs many into one member
			w.now += 2 * time.Minute.Milliseconds()
		}
		w.sample(VerbExpire, c.String(), overdue, func() { expire(w.bench) })
		for _, verb := range []Verb{VerbConfirm, VerbMove} {
			w.sample(verb, "of expired ones, "+c.String(), func() {
				overdue()
				for more := verb == VerbConfirm; more; {
					_, more, _ = w.store.Expire(w.ctx)
				}
			}, func() { w.batch(verb, batchOf(w.steps(verb, &c, h.n, 0, false))...) })
		}
		for _, size := range [][2]int{{1, 500}, {4, 500}, {20, 100}} {
			big := cart{lines: size[0], places: size[1], stock: "nothing", split: location.SplitUnits, id: "b"}
			var requests []shard.Request
			w.sample(VerbReserve, "of "+big.String()+", after "+c.String(), func() {
				overdue()
				stock := []any{}
				for line := range big.lines {
					for place := range big.places {
						stock = append(stock, wire.LevelField(big.sku(line), big.place(place)), 0)
					}
				}
				if err := w.client.HSet(w.ctx, w.store.keys.Stock, stock...).Err(); err != nil {
					t.Fatal(err)
				}
				direct(big.directory())(w.bench)
				requests = w.reserves(&big, "big", 1)
			}, func() { w.batch(VerbReserve, requests...) })
		}
	}
}

// TestWork_Operations searches for the operation on levels that keeps Redis busy for longest.
func TestWork_Operations(t *testing.T) {
	w := newWorkbench(t)
	units := int64(1000)
	change := func(i int, id string, c Change) Change {
		c.SKU, c.Location = location.SKU("s"+id), location.ID("l"+strconv.Itoa(i)+id)
		return c
	}
	for _, id := range []string{"", strings.Repeat("x", 12)} { // ChangesBytesMax allows no longer ones
		c := cart{lines: 1, places: 1000, stock: "plenty", id: id}
		for _, known := range []bool{false, true} {
			for _, n := range []int{1, 64, ChangesMax} {
				for name, one := range map[string]Change{
					"count": {OnHand: &units}, "delta": {Delta: &units}, "all": {OnHand: &units, SafetyStock: &units, BackorderLimit: &units},
				} {
					request := AdjustRequest{ID: "op", Reason: "r" + id, Actor: "a"}
					for i := range n {
						ch := change(i, id, one)
						if known {
							ch.SKU = c.sku(0)
						}
						request.Changes = append(request.Changes, ch)
					}
					call := &adjustCall{request: &request, fingerprint: "f"}
					w.sample(VerbAdjust, fmt.Sprintf("%s of %d levels, known %t, ids %d bytes", name, n, known, len(id)),
						func() { w.set(&c) }, func() { w.batch(VerbAdjust, call) })
					w.sample(VerbAdjust, fmt.Sprintf("again, %s of %d levels, known %t, ids %d bytes", name, n, known, len(id)),
						func() {}, func() { w.batch(VerbAdjust, call) })
				}
			}
		}
		for verb, one := range map[Verb]func(i int) shard.Request{
			VerbTransfer: func(i int) shard.Request {
				return &transferCall{request: &TransferRequest{ID: "t" + strconv.Itoa(i), SKU: c.sku(0), From: c.place(i), To: c.place(i + 1), Quantity: 1}, fingerprint: "f"}
			},
			VerbRemove: func(i int) shard.Request {
				return &removeCall{request: &RemoveRequest{ID: "t" + strconv.Itoa(i), SKU: c.sku(0), Location: c.place(i)}, fingerprint: "f"}
			},
		} {
			var list []shard.Request
			for i := range 256 {
				list = append(list, one(i))
			}
			w.sample(verb, fmt.Sprintf("a batch, ids %d bytes", len(id)), func() { w.set(&c) }, func() { w.batch(verb, batchOf(list)...) })
		}
	}
}

// TestWork_Reads searches for the read that keeps Redis busy for longest.
func TestWork_Reads(t *testing.T) {
	w := newWorkbench(t)
	for _, c := range []cart{{lines: 1, places: 1000, stock: "plenty"}, {lines: 10, places: 200, stock: "plenty"}, {lines: 2, places: 50, components: 20, stock: "plenty"}} {
		var probes []shard.Request
		w.sample(VerbProbe, c.String(), func() {
			w.set(&c)
			if probes == nil {
				for _, r := range w.reserves(&c, "p", 64) {
					probes = append(probes, probeCall{r.(*reserveCall)})
				}
			}
		}, func() { w.batch(VerbProbe, batchOf(probes)...) })
		request := AvailabilityRequest{}
		for i := range min(AvailabilityMax, AvailabilityLevelsMax/c.places/max(1, c.components)) {
			request.SKUs = append(request.SKUs, c.sku(i))
		}
		w.sample("availability", c.String(), func() {}, func() {
			if _, err := w.store.Availability(w.ctx, request); err != nil {
				t.Fatal(err)
			}
		})
		w.sample("levels", c.String(), func() {}, func() {
			if _, err := w.store.Levels(w.ctx, c.sku(0)); err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
		})
	}
}
