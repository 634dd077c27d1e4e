package cache

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// TestModel makes random calls on a Store on real Redis and on the model. After each call it
// compares the answer and all stock, reservations and purchase limits in Redis, and checks the
// invariants.
func TestModel(t *testing.T) {
	told := &sizes{}
	runModel(t, Options{TTL: 10 * time.Second, Observer: told}, func(*play) {})
	for _, outcome := range []string{"reserve ok", "reserve purchase_limit", "move ok", "move replay", "describe ok"} {
		if told.calls[outcome] == 0 && !t.Failed() {
			t.Errorf("no call had the outcome %s: %v", outcome, told.calls)
		}
	}
}

// runModel is TestModel with the given options. It calls begin before the first call on each Store.
func runModel(t *testing.T, options Options, begin func(*play)) {
	redistest.EachEngine(t, func(t *testing.T, e redistest.Engine) {
		if e.Name != "redis" {
			return
		}
		rapid.Check(t, func(rt *rapid.T) {
			e.Flush(t)
			b := newBench(t, e.Client, options)
			defer func() { _ = b.store.Close(b.ctx) }()
			p := &play{bench: b, model: &model{now: b.now, levels: map[string]*modelLevel{}, reservations: map[string]*modelReservation{}}}
			b.tb = rapidTB{t, rt}
			begin(p)
			p.stocked(rt)
			p.direct(rt)
			for range 3 {
				p.reserve(rt)
				p.check(rt)
			}
			rt.Repeat(map[string]func(*rapid.T){
				"reserve": p.reserve, "reserve more": p.reserve, "replay": p.replay, "confirm": p.confirm, "late": p.late, "release": p.release, "fulfill": p.fulfill,
				"extend": p.extend, "describe": p.describe, "move": p.move, "move more": p.move, "amend": p.amend, "amend more": p.amend, "return": p.back,
				"unfulfill": p.unfulfill, "again": p.again, "adjust": p.adjust, "remove": p.remove,
				"transfer": p.transfer, "direct": p.direct, "wait": p.wait, "sweep": p.sweep,
				"": p.check,
			})
		})
	})
}

// rapidTB reports the failures of a bench to rapid, so that rapid looks for a shorter history.
type rapidTB struct {
	testing.TB
	drawn *rapid.T
}

func (p rapidTB) Errorf(format string, args ...any) { p.drawn.Errorf(format, args...) }

func (p rapidTB) Fatalf(format string, args ...any) { p.drawn.Fatalf(format, args...) }

func (p rapidTB) Fatal(args ...any) { p.drawn.Fatal(args...) }

// play is a Store and its model side by side.
type play struct {
	*bench
	model *model
	next  int

	room  map[string]int64 // level -> what plain lines left of it after the last step
	taken bool             // the last step may have taken units away from plain lines
	made  []madeStep       // steps with an operation's id
}

// madeStep is a call that made a step with an operation's id.
type madeStep struct {
	of   *modelReservation
	call func() (Result, error)
}

var (
	modelSKUs   = rapid.SampledFrom([]location.SKU{"TEE", "MUG"})
	modelPlaces = rapid.SampledFrom([]location.ID{"berlin", "lyon"})
)

// drawCampaign draws a campaign. Most have no times, and most of the others sell now.
func drawCampaign(t *rapid.T, now int64) location.Campaign {
	c := rapid.SampledFrom([]location.Campaign{
		{ID: "tees", SKUs: []location.SKU{"TEE"}}, {ID: "sets", SKUs: []location.SKU{"SET"}},
		{ID: "parts", SKUs: []location.SKU{"MUG", "TEE"}}, {ID: "drop", SKUs: []location.SKU{"SET", "MUG"}}, {ID: "all"},
	}).Draw(t, "campaign")
	rules := rapid.SampledFrom([]string{"customer", "customer", "total", "both", "customer times", "total times"}).Draw(t, "rules")
	if strings.Contains(rules, "customer") || rules == "both" {
		c.PerCustomer = units(rapid.Int64Range(2, 12).Draw(t, "most"))
	}
	if strings.Contains(rules, "total") || rules == "both" {
		c.Total = units(rapid.Int64Range(4, 20).Draw(t, "total"))
	}
	c.FreesOnReturn = rapid.Bool().Draw(t, "frees")
	if strings.Contains(rules, "times") {
		from := rapid.SampledFrom([]int64{-1, 0, 1, 3000}).Draw(t, "starts in")
		c.StartsAt = timeText(time.UnixMilli(now + from))
		c.EndsAt = timeText(time.UnixMilli(now + from + rapid.SampledFrom([]int64{1, 9000, 60000, 60000}).Draw(t, "lasts")))
	}
	return c
}

// direct changes the directory: the kit SET, the campaigns and the locations of the channel. Sometimes
// it removes the directory, and with it kits and campaigns.
func (p *play) direct(t *rapid.T) {
	if rapid.IntRange(0, 4).Draw(t, "no directory") == 4 {
		p.model.directory = location.Directory{}
		p.store.Direct(nil)
		return
	}
	few := rapid.Int64Range(1, 3)
	campaign := rapid.Custom(func(t *rapid.T) location.Campaign { return drawCampaign(t, p.now) })
	d := location.Directory{
		Locations: []location.Location{{ID: "berlin"}, {ID: "lyon"}},
		Channels: []location.SalesChannel{{
			ID: "web", Default: true,
			Locations: rapid.SampledFrom([][]location.ID{{"lyon", "berlin"}, {"berlin", "lyon"}, {"lyon"}}).Draw(t, "from"),
			Rank:      rapid.SampledFrom([][]location.Rank{nil, {location.RankHighestStock}}).Draw(t, "rank"),
		}},
		Kits: []location.Kit{{SKU: "SET", Components: []location.Component{
			{SKU: "TEE", Quantity: few.Draw(t, "tees of a set")}, {SKU: "MUG", Quantity: few.Draw(t, "mugs of a set")},
		}}},
		Campaigns: rapid.SliceOfNDistinct(campaign, 0, 2, func(c location.Campaign) string { return c.ID }).Draw(t, "campaigns"),
	}
	rules, err := location.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	p.model.directory = d
	p.store.Direct(rules)
}

func (p *play) wait(t *rapid.T) {
	p.pass(rapid.SampledFrom([]int64{3000, 9000, 1000, 1}).Draw(t, "ms"))
}

// pass advances the clock.
func (p *play) pass(ms int64) {
	p.now += ms
	p.model.now = p.now
	p.model.expireDue()
}

func (p *play) sweep(t *rapid.T) {
	due := 0
	for _, r := range p.model.reservations {
		if r.unswept {
			due++
		}
	}
	for more := true; more; {
		var expired int
		var err error
		if expired, more, err = p.store.Expire(p.ctx); err != nil {
			t.Fatal(err)
		}
		due -= expired
	}
	if due != 0 {
		t.Fatalf("%d due reservations were not expired", due)
	}
}

func same(t *rapid.T, what string, got, want error) {
	t.Helper()
	if outcomeOf(got) != outcomeOf(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// pick draws one of the reservations, mostly a recent one.
func (p *play) pick(t *rapid.T) (string, *modelReservation) {
	if len(p.model.reservations) == 0 {
		t.Skip("nothing reserved yet")
	}
	newest := slices.Sorted(maps.Keys(p.model.reservations))
	slices.Reverse(newest)
	id := rapid.SampledFrom(newest).Draw(t, "id")
	return id, p.model.reservations[id]
}

// check compares Redis with the model and checks the invariants. Redis counts the units of an
// overdue reservation as held until it reclaims them.
func (p *play) check(t *rapid.T) {
	p.invariants()
	p.checkReservations(t)
	p.checkLimits(t)
	p.checkRoom(t)
	back := p.model.overdue()
	page, err := p.store.LevelPage(p.ctx, LevelFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, l := range page.Levels {
		got = append(got, fmt.Sprint(l.SKU, l.Location, l.OnHand, l.Held, l.Committed, l.SafetyStock, l.BackorderLimit, l.Available))
	}
	for name, l := range p.model.levels {
		sku, at, _ := wire.CutLevel(name)
		n := back[name]
		want = append(want, fmt.Sprint(sku, at, l.onHand, l.held+n, l.committed, l.safety, l.backorder, l.available()-n))
	}
	compare(t, "levels", got, want)
}

// checkRoom checks that plain lines never take a level below zero: what they have held or committed
// stays within on hand - safety stock + backorder limit. Only an operation that lowers one of these, or
// units of another line that leave, may take it below.
func (p *play) checkRoom(t *rapid.T) {
	var all []portion
	for _, r := range p.model.reservations {
		if state := r.stored(); state == StateHeld || state == StateConfirmed {
			all = append(all, plain(r.all())...)
		}
	}
	promised, room := needs(all), map[string]int64{}
	for name, l := range p.model.levels {
		room[name] = l.onHand - l.safety + l.backorder - promised[name]
		if room[name] < min(0, p.room[name]) && !p.taken {
			t.Fatalf("%q: plain lines have %d units more than there are; before the step it was %d", name, -room[name], -p.room[name])
		}
	}
	p.room, p.taken = room, false
}

// checkReservations compares each reservation as stored, and as a caller sees it.
func (p *play) checkReservations(t *rapid.T) {
	stored, err := p.client.HGetAll(p.ctx, p.store.keys.Reservations).Result()
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for id, text := range stored {
		rec, err := wire.DecodeRecord(text)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rec.Lines {
			rec.Lines[i].Limits = nil // checkLimits compares the counts
		}
		if r := p.model.reservations[id]; r != nil && r.unswept && rec.State == StateExpired {
			r.unswept = false
			r.version++
		}
		got = append(got, describe(id, rec))
	}
	for id, r := range p.model.reservations {
		want = append(want, describe(id, r.record()))
		res, err := p.store.Reservation(p.ctx, id)
		got, want := toldBuyer(Result{Reservation: res}, err), toldBuyer(Result{Reservation: p.model.seen(r)}, nil)
		if got != want {
			t.Fatalf("%s is\n%s\nwant\n%s", id, got, want)
		}
	}
	compare(t, "reservations", got, want)
}

// compare checks that two lists are the same in any order.
func compare(t *rapid.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
