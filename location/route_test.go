package location

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func number(x float64) *float64 { return &x }

func is(b bool) *bool { return &b }

// europe returns a directory of four locations and the channels web, shop and fair.
func europe() Directory {
	return Directory{
		Locations: []Location{
			{ID: "berlin", Country: "DE", Latitude: number(52.52), Longitude: number(13.4), Priority: number(10), Cost: number(4), Pickup: true, Zones: []string{"dach"}},
			{ID: "lyon", Country: "FR", Latitude: number(45.76), Longitude: number(4.84), Priority: number(10), Cost: number(2), Zones: []string{"dach", "west"}},
			{ID: "oslo", Country: "NO", Latitude: number(59.91), Longitude: number(10.75), Priority: number(5), Zones: []string{"all"}},
			{ID: "vienna", Country: "AT", Cost: number(9), Zones: []string{"vienna"}},
		},
		Zones: []Zone{
			{ID: "dach", Countries: []string{"DE", "at", "CH"}}, {ID: "west", Countries: []string{"FR", "BE"}, Regions: []string{"ARA"}},
			{ID: "vienna", Countries: []string{"AT"}, PostalCodes: []string{"10*", "2345"}}, {ID: "all"},
		},
		Channels: []SalesChannel{
			{ID: "web", Default: true, Locations: []ID{"vienna", "oslo", "lyon", "berlin"}, Rank: []Rank{RankSameCountry, RankNearest, RankPriority, RankCost}},
			{ID: "shop", Locations: []ID{"berlin"}, Split: SplitNever},
			{ID: "fair", Locations: []ID{"oslo", "berlin", "lyon"}, Rank: []Rank{RankPriority, RankHighestStock, RankCost}},
		},
	}
}

func compiled(t testing.TB, change func(*Directory)) *Rules {
	t.Helper()
	d := europe()
	if change != nil {
		change(&d)
	}
	r, err := Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func to(country, region, code string) *Address {
	return &Address{Country: country, Region: region, PostalCode: code}
}

// TestRoute checks that channel, zones and rules decide the candidates and their order.
func TestRoute(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Directory)
		ask    Request
		pin    ID
		want   string
	}{
		{"no address: priority abstains, as vienna has none; so does cost", nil, Request{}, "", "[vienna oslo lyon berlin]"},
		{"no address: priority, then cost", func(d *Directory) {
			d.Channels[0].Rank = []Rank{RankPriority, RankCost}
			d.Locations[3].Priority = number(10)
		}, Request{}, "", "[oslo lyon berlin vienna]"},
		{"germany", nil, Request{ShipTo: to("de", "", "10115")}, "", "[berlin lyon oslo]"},
		{"france, its region", nil, Request{ShipTo: to("FR", "ara", "")}, "", "[lyon oslo]"},
		{"france, another region", nil, Request{ShipTo: to("FR", "IDF", "")}, "", "[oslo]"},
		{"vienna, by the beginning of its code", nil, Request{ShipTo: to("AT", "", "1 0 10")}, "", "[vienna berlin lyon oslo]"},
		{"vienna, by its whole code", nil, Request{ShipTo: to("AT", "", "2345")}, "", "[vienna berlin lyon oslo]"},
		{"austria", nil, Request{ShipTo: to("AT", "", "23456")}, "", "[berlin lyon oslo]"},
		{"coordinates come before the country", nil, Request{ShipTo: &Address{Country: "CH", Latitude: number(59), Longitude: number(10)}}, "", "[oslo berlin lyon]"},
		{"an address without a country", nil, Request{ShipTo: &Address{}}, "", "[oslo]"},
		{"disabled", func(d *Directory) { d.Locations[0].Enabled = is(false) }, Request{ShipTo: to("DE", "", "")}, "", "[lyon oslo]"},
		{"without zones it ships nowhere", func(d *Directory) { d.Locations[0].Zones = nil }, Request{ShipTo: to("DE", "", "")}, "", "[lyon oslo]"},
		{"another channel", nil, Request{Channel: "shop"}, "", "[berlin]"},
		{"collected", nil, Request{Pickup: "berlin"}, "", "[berlin]"},
		{"collected where that is not offered", nil, Request{Pickup: "oslo"}, "", "[]"},
		{"collected from another channel's", nil, Request{Channel: "fair", Pickup: "vienna"}, "", "[]"},
		{"collected and pinned elsewhere", nil, Request{Pickup: "berlin"}, "lyon", "[]"},
		{"a pin", nil, Request{}, "lyon", "[lyon]"},
		{"a pin that the address rules out", nil, Request{ShipTo: to("FR", "", "")}, "berlin", "[]"},
		{"stock decides among those of one priority", nil, Request{Channel: "fair"}, "", "[oslo lyon berlin] [1 3]"},
		{"stock decides alone", func(d *Directory) { d.Channels[2].Rank = []Rank{RankHighestStock} }, Request{Channel: "fair"}, "", "[oslo berlin lyon] [3]"},
		{"stock has nothing to decide", func(d *Directory) { d.Locations[0].Priority = number(11) }, Request{Channel: "fair"}, "", "[oslo lyon berlin]"},
	} {
		routing, err := Route(compiled(t, c.change), c.ask)
		if err != nil {
			t.Fatal(c.name, err)
		}
		found := routing.Candidates(c.pin)
		got := fmt.Sprint(found.IDs)
		if found.Groups != nil {
			got += fmt.Sprint(" ", found.Groups)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestRoute_UnknownChannel checks that the error names the channels that exist.
func TestRoute_UnknownChannel(t *testing.T) {
	none := compiled(t, func(d *Directory) { d.Channels[0].Default = false })
	for _, c := range []struct {
		rules   *Rules
		channel Channel
		want    string
	}{
		{compiled(t, nil), "app", `channel is "app", which the directory does not have; there are web, shop, fair`},
		{none, "", "channel is required, because the directory has no default channel; there are web, shop, fair"},
	} {
		_, err := Route(c.rules, Request{Channel: c.channel})
		if unknown, ok := errors.AsType[*UnknownChannelError](err); !ok || unknown.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// TestImplicit checks that without a directory every location serves every channel and address.
func TestImplicit(t *testing.T) {
	r := Implicit([]ID{"berlin", "lyon", "oslo"})
	for _, c := range []struct {
		ask  Request
		pin  ID
		want string
	}{
		{Request{Channel: "any", ShipTo: to("JP", "", "")}, "", "[berlin lyon oslo]"},
		{Request{}, "lyon", "[lyon]"}, {Request{}, "mars", "[]"}, {Request{Pickup: "oslo"}, "", "[oslo]"},
		{Request{Pickup: "oslo"}, "oslo", "[oslo]"}, {Request{Pickup: "oslo"}, "lyon", "[]"},
	} {
		routing, err := Route(r, c.ask)
		if got := fmt.Sprint(routing.Candidates(c.pin).IDs); err != nil || got != c.want {
			t.Errorf("%+v: %s %v, want %s", c.ask, got, err, c.want)
		}
	}
}

// TestLimits checks which limits of a channel count a SKU.
func TestLimits(t *testing.T) {
	r := compiled(t, func(d *Directory) {
		d.Limits = []Limit{
			{ID: "all", PerCustomer: 9}, {ID: "drop", Channels: []Channel{"web"}, SKUs: []SKU{"TEE"}, PerCustomer: 2},
			{ID: "shop", Channels: []Channel{"shop"}, PerCustomer: 1},
		}
	})
	for ask, want := range map[[2]string]string{
		{"web", "TEE"}: "all drop", {"web", "MUG"}: "all", {"shop", "TEE"}: "all shop", {"fair", "TEE"}: "all",
	} {
		routing, err := Route(r, Request{Channel: Channel(ask[0])})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range routing.Campaigns(SKU(ask[1])) {
			got = append(got, l.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %v, want %s", ask, got, want)
		}
	}
}

// TestCompile checks that rules do not change if the caller changes the directory later.
func TestCompile(t *testing.T) {
	d := europe()
	r, err := Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	d.Channels[1].Locations[0], *d.Locations[0].Priority = "moon", 99
	routing, _ := Route(r, Request{Channel: "shop"})
	if got := fmt.Sprint(routing.Candidates("").IDs, *r.Directory().Locations[0].Priority); got != "[berlin] 10" {
		t.Error(got)
	}
	if _, err := Compile(d); err == nil {
		t.Error("a directory that names a location it does not have was compiled")
	}
}

// drawDirectory draws a valid directory.
func drawDirectory(t *rapid.T) Directory {
	ids := []ID{"a", "b", "c", "d", "e"}
	maybe := func(name string, values ...float64) *float64 {
		if i := rapid.IntRange(-1, len(values)-1).Draw(t, name); i >= 0 {
			return number(values[i])
		}
		return nil
	}
	d := Directory{Zones: []Zone{
		{ID: "all"}, {ID: "de", Countries: []string{"DE"}}, {ID: "codes", PostalCodes: []string{"1*", "77"}},
		{ID: "north", Countries: []string{"NO", "DE"}, Regions: []string{"N"}},
	}}
	for _, id := range ids {
		l := Location{
			ID: id, Enabled: is(rapid.IntRange(0, 4).Draw(t, "enabled") > 0), Pickup: rapid.Bool().Draw(t, "pickup"),
			Priority: maybe("priority", 1, 2), Cost: maybe("cost", 1, 2), Country: rapid.SampledFrom([]string{"", "DE", "NO"}).Draw(t, "country"),
			Zones: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"all", "de", "codes", "north"}), 0, 2, rapid.ID).Draw(t, "zones"),
		}
		if l.Latitude = maybe("latitude", 50, 60); l.Latitude != nil {
			l.Longitude = number(10)
		}
		d.Locations = append(d.Locations, l)
	}
	rules := []Rank{RankSameCountry, RankNearest, RankPriority, RankCost, RankHighestStock}
	for _, id := range []Channel{"web", "shop"} {
		d.Channels = append(d.Channels, SalesChannel{
			ID: id, Default: id == "web", Locations: rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 5, rapid.ID).Draw(t, "locations"),
			Rank: rapid.SliceOfNDistinct(rapid.SampledFrom(rules), 0, 5, rapid.ID).Draw(t, "rank"),
		})
	}
	return d
}

func drawRequest(t *rapid.T) (Request, ID) {
	ask := Request{Channel: rapid.SampledFrom([]Channel{"", "web", "shop"}).Draw(t, "channel")}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		ask.Pickup = rapid.SampledFrom([]ID{"a", "b", "mars"}).Draw(t, "store")
	case 1, 2:
		ask.ShipTo = to(rapid.SampledFrom([]string{"", "de", "NO", "FR"}).Draw(t, "to"), rapid.SampledFrom([]string{"", "n", "S"}).Draw(t, "region"),
			rapid.SampledFrom([]string{"", "1", "12", "7 7", "777"}).Draw(t, "code"))
	}
	return ask, rapid.SampledFrom([]ID{"", "", "a", "b", "mars"}).Draw(t, "pin")
}

// allowed is a second implementation of the rule: it reports whether a location may serve a request.
func allowed(d *Directory, ask Request, pin, id ID) bool {
	c := d.Channels[0]
	if ask.Channel == "shop" {
		c = d.Channels[1]
	}
	l := d.Locations[slices.IndexFunc(d.Locations, func(l Location) bool { return l.ID == id })]
	ok := slices.Contains(c.Locations, id) && *l.Enabled && (pin == "" || pin == id)
	if ask.Pickup != "" {
		return ok && id == ask.Pickup && l.Pickup
	}
	if ask.ShipTo == nil {
		return ok
	}
	country, region, code := strings.ToUpper(ask.ShipTo.Country), strings.ToUpper(ask.ShipTo.Region), strings.ReplaceAll(ask.ShipTo.PostalCode, " ", "")
	zones := map[string]bool{
		"all": true, "de": country == "DE", "codes": strings.HasPrefix(code, "1") || code == "77",
		"north": (country == "NO" || country == "DE") && region == "N",
	}
	return ok && slices.ContainsFunc(l.Zones, func(z string) bool { return zones[z] })
}

// TestRoute_Rules checks that Route returns exactly the locations that the rules allow, that Explain
// gives one reason for each of the others, and that the same request has the same answer.
func TestRoute_Rules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDirectory(t)
		r, err := Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		ask, pin := drawRequest(t)
		routing, err := Route(r, ask)
		if err != nil {
			t.Fatal(err)
		}
		has := map[ID]bool{}
		for _, l := range d.Locations {
			has[l.ID] = rapid.Bool().Draw(t, "level")
		}
		candidates := routing.Candidates(pin)
		reasons := map[ID]Reason{}
		for _, x := range routing.Explain("1", pin, func(id ID) bool { return has[id] }, []ID{"a", "old"}) {
			if reasons[x.Location] != "" || x.Line != "1" {
				t.Fatalf("%+v twice, or of another line", x)
			}
			reasons[x.Location] = x.Reason
		}
		for _, l := range d.Locations {
			is, want := slices.Contains(candidates.IDs, l.ID), allowed(&d, ask, pin, l.ID)
			if is != want {
				t.Fatalf("%s is a candidate: %t, the rules say %t", l.ID, is, want)
			}
			if served := is && has[l.ID]; served == (reasons[l.ID] != "") {
				t.Fatalf("%s serves: %t, left out: %q", l.ID, served, reasons[l.ID])
			}
		}
		if reasons["old"] != ReasonUnknownLocation || pin == "mars" && reasons["mars"] != ReasonUnknownLocation {
			t.Fatalf("unknown locations: %v", reasons)
		}
		again, _ := Route(r, ask)
		if fmt.Sprint(again.Candidates(pin)) != fmt.Sprint(candidates) {
			t.Fatalf("%v, then %v", candidates, again.Candidates(pin))
		}
	})
}

// compareBy is a second implementation of a rule. It compares two locations of a tied group: below 0
// if a comes first, 0 if the rule abstains or they are equal.
func compareBy(rule Rank, group []Location, ask Request, a, b Location) float64 {
	value := func(l Location) (float64, bool) {
		switch rule {
		case RankSameCountry:
			if ask.ShipTo == nil || ask.ShipTo.Country == "" || l.Country == "" {
				return 0, false
			}
			if strings.EqualFold(l.Country, ask.ShipTo.Country) {
				return 0, true
			}
			return 1, true
		case RankNearest: // all on one meridian; the addresses' countries lie north of 60, or south of 55
			if ask.ShipTo == nil || ask.ShipTo.Country == "" || l.Latitude == nil {
				return 0, false
			}
			if strings.EqualFold(ask.ShipTo.Country, "NO") {
				return -*l.Latitude, true
			}
			return *l.Latitude, true
		case RankPriority:
			return deref(l.Priority)
		default:
			return deref(l.Cost)
		}
	}
	for _, l := range group {
		if _, known := value(l); !known {
			return 0
		}
	}
	x, _ := value(a)
	y, _ := value(b)
	return x - y
}

func deref(x *float64) (float64, bool) {
	if x == nil {
		return 0, false
	}
	return *x, true
}

// TestRoute_Order checks the order of the candidates: each rule orders those that the rules before it
// left tied, and the channel's order decides last.
func TestRoute_Order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDirectory(t)
		ask, _ := drawRequest(t)
		c := &d.Channels[0]
		if ask.Channel == "shop" {
			c = &d.Channels[1]
		}
		c.Rank = slices.DeleteFunc(c.Rank, func(r Rank) bool { return r == RankHighestStock })
		r, err := Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		routing, _ := Route(r, ask)
		var group []Location
		for _, id := range c.Locations {
			if allowed(&d, ask, "", id) {
				group = append(group, d.Locations[slices.IndexFunc(d.Locations, func(l Location) bool { return l.ID == id })])
			}
		}
		want := sorted(group, c.Rank, ask)
		if got := fmt.Sprint(routing.Candidates("").IDs); got != fmt.Sprint(want) {
			t.Fatalf("%s, want %v", got, want)
		}
	})
}

// sorted orders a tied group by several rules, in a simple and slow way.
func sorted(group []Location, chain []Rank, ask Request) (ids []ID) {
	if len(chain) == 0 {
		for _, l := range group {
			ids = append(ids, l.ID)
		}
		return ids
	}
	for len(group) > 0 {
		first := group[0]
		for _, l := range group {
			if compareBy(chain[0], group, ask, l, first) < 0 {
				first = l
			}
		}
		var tied, rest []Location
		for _, l := range group {
			if compareBy(chain[0], group, ask, l, first) == 0 {
				tied = append(tied, l)
			} else {
				rest = append(rest, l)
			}
		}
		ids = append(ids, sorted(tied, chain[1:], ask)...)
		group = rest
	}
	return ids
}

// TestRanking checks the text that explains how each rule orders the candidates.
func TestRanking(t *testing.T) {
	routing, err := Route(compiled(t, nil), Request{ShipTo: to("DE", "", "")})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(fmt.Sprintf("%q", routing.Ranking()), "} {", "}\n{")
	want := `[{"same_country" "" ["berlin: in DE, like the address" "lyon: in FR, not DE" "oslo: in NO, not DE"]}
{"nearest" "" ["berlin: 267 km" "lyon: 713 km" "oslo: 988 km"]}
{"priority" "" ["berlin: priority 10" "lyon: priority 10" "oslo: priority 5"]}
{"cost" "for those without data: oslo" ["berlin: cost 4" "lyon: cost 2" "oslo: unknown"]}]`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestLoadCentroids checks that postal codes match by prefix, and that the built-in countries remain.
func TestLoadCentroids(t *testing.T) {
	c, err := LoadCentroids(strings.NewReader("country,postal_prefix,latitude,longitude\nDE,8,48.1,11.6\nde,80,48.2,11.5\n"))
	if err != nil {
		t.Fatal(err)
	}
	for ask, want := range map[[2]string]vector{
		{"DE", "80331"}: vectorOf(48.2, 11.5), {"DE", "89"}: vectorOf(48.1, 11.6), {"DE", "10115"}: vectorOf(51.03, 10.35),
	} {
		if got, known := c.find(ask[0], ask[1]); !known || got != want {
			t.Errorf("%v: %v %t", ask, got, known)
		}
	}
	if _, known := c.find("QQ", ""); known {
		t.Error("QQ is somewhere")
	}
	for _, line := range []string{
		"Germany,,1,1", "DE,,north,1", "ZZ,,1,1", ",,1,1", "DE,8*,1,1", "DE,8?,1,1", "DE,,91,1", "DE,,1,181", "DE,,NaN,1", "fr,75,1,1",
	} {
		_, err = LoadCentroids(strings.NewReader("country,postal_prefix,latitude,longitude\nFR,75,48,2\n" + line + "\n"))
		if err == nil || !strings.Contains(err.Error(), "line 3: ") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// BenchmarkRoute routes one request with an address by four rules.
func BenchmarkRoute(b *testing.B) {
	for _, n := range []int{1, 10, 200} {
		b.Run(fmt.Sprint(n, " locations"), func(b *testing.B) {
			d := Directory{Zones: []Zone{{ID: "dach", Countries: []string{"DE", "AT"}}}}
			web := SalesChannel{ID: "web", Default: true, Rank: []Rank{RankSameCountry, RankNearest, RankPriority, RankCost}}
			for i := range n {
				id := ID(fmt.Sprint("l", i))
				d.Locations = append(d.Locations, Location{
					ID: id, Country: []string{"DE", "AT", "FR"}[i%3], Latitude: number(float64(i%60) + 0.5), Longitude: number(float64(i * 7 % 90)),
					Priority: number(float64(i % 5)), Cost: number(float64(i % 3)), Zones: []string{"dach"},
				})
				web.Locations = append(web.Locations, id)
			}
			d.Channels = []SalesChannel{web}
			r, err := Compile(d)
			if err != nil {
				b.Fatal(err)
			}
			ask := Request{ShipTo: to("DE", "", "10115")}
			b.ReportAllocs()
			for b.Loop() {
				routing, _ := Route(r, ask)
				if len(routing.Candidates("").IDs) != n {
					b.Fatal("lost some")
				}
			}
		})
	}
}

// TestRoute_Named checks the candidates of lines that name locations, and of requests that prefer some.
func TestRoute_Named(t *testing.T) {
	for _, c := range []struct {
		name  string
		ask   Request
		named []ID
		want  string
	}{
		{"named, in the line's order", Request{}, []ID{"berlin", "vienna"}, "[berlin vienna]"},
		{"named, within what routing allows", Request{ShipTo: to("DE", "", "")}, []ID{"vienna", "oslo", "berlin"}, "[oslo berlin]"},
		{"named, and none is allowed", Request{Channel: "shop"}, []ID{"lyon"}, "[]"},
		{"named twice, and unknown", Request{}, []ID{"mars", "lyon", "lyon"}, "[lyon]"},
		{"named, collected elsewhere", Request{Pickup: "berlin"}, []ID{"lyon"}, "[]"},
		{"named where it is collected", Request{Pickup: "berlin"}, []ID{"lyon", "berlin"}, "[berlin]"},
		{"stock does not order what a line names", Request{Channel: "fair"}, []ID{"lyon", "berlin"}, "[lyon berlin]"},
		{"preferred", Request{Prefer: []ID{"lyon", "oslo"}}, nil, "[lyon oslo vienna berlin]"},
		{"preferred, not allowed", Request{ShipTo: to("DE", "", ""), Prefer: []ID{"vienna", "oslo"}}, nil, "[oslo berlin lyon]"},
		{"preferred, unknown and twice", Request{Prefer: []ID{"mars", "berlin", "berlin"}}, nil, "[berlin vienna oslo lyon]"},
		{"preferred, and named", Request{Prefer: []ID{"vienna"}}, []ID{"berlin", "vienna"}, "[berlin vienna]"},
		{"preferred, and stock decides among the rest", Request{Channel: "fair", Prefer: []ID{"lyon"}}, nil, "[lyon oslo berlin]"},
		{"preferred, and stock decides among others", Request{Channel: "fair", Prefer: []ID{"oslo"}}, nil, "[oslo lyon berlin] [1 3]"},
	} {
		routing, err := Route(compiled(t, nil), c.ask)
		if err != nil {
			t.Fatal(c.name, err)
		}
		found := routing.Candidates("", c.named...)
		got := fmt.Sprint(found.IDs)
		if found.Groups != nil {
			got += fmt.Sprint(" ", found.Groups)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestRoute_OrderOfCallers checks that Prefer and the locations of a line change the order of the candidates,
// never which locations are candidates, except that a line has only those that it names.
func TestRoute_OrderOfCallers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDirectory(t)
		r, err := Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		ask, _ := drawRequest(t)
		all, err := Route(r, ask)
		if err != nil {
			t.Fatal(err)
		}
		list := rapid.SliceOfNDistinct(rapid.SampledFrom([]ID{"a", "b", "c", "d", "mars"}), 0, 4, rapid.ID[ID]).Draw(t, "list")
		ask.Prefer = list
		preferring, err := Route(r, ask)
		if err != nil {
			t.Fatal(err)
		}
		routed := all.Candidates("")
		listed := slices.DeleteFunc(slices.Clone(list), func(id ID) bool { return !slices.Contains(routed.IDs, id) })
		rest := slices.DeleteFunc(slices.Clone(routed.IDs), func(id ID) bool { return slices.Contains(list, id) })
		got := preferring.Candidates("")
		if fmt.Sprint(got.IDs) != fmt.Sprint(slices.Concat(listed, rest)) {
			t.Fatalf("%v prefer %v: %v", routed.IDs, list, got.IDs)
		}
		stock := map[ID]int64{"a": 3, "b": 1, "c": 4, "d": 1}
		has := func(id ID) int64 { return stock[id] }
		ranked := slices.DeleteFunc(routed.Ranked(has), func(id ID) bool { return slices.Contains(list, id) })
		if fmt.Sprint(got.Ranked(has)) != fmt.Sprint(slices.Concat(listed, ranked)) {
			t.Fatalf("%v in groups %v prefer %v: %v in groups %v", routed.IDs, routed.Groups, list, got.IDs, got.Groups)
		}
		if len(list) > 0 && fmt.Sprint(all.Candidates("", list...).IDs) != fmt.Sprint(listed) {
			t.Fatalf("%v named %v: %v", routed.IDs, list, all.Candidates("", list...).IDs)
		}
		for _, x := range all.Explain("1", "", func(ID) bool { return true }, nil, list...) {
			if is := slices.Contains(listed, x.Location); is || x.Location == "mars" && x.Reason != ReasonUnknownLocation {
				t.Fatalf("%s is left out: %s", x.Location, x.Reason)
			}
		}
	})
}
