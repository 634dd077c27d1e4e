package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
)

// Locations a, b and d ship everywhere; c is a store. Channel web sells from a, b and c, in the order and
// with the rules that a row sets. Channel shop sells from d.
const routedLocations = `{"id": "a", "country": "DE", "zones": ["all"]}, {"id": "b", "country": "FR", "zones": ["all"]},
	{"id": "c", "country": "DE", "pickup": true}, {"id": "d", "zones": ["all"]}`

// routed returns a call that applies a directory. Its channel web has fields; more is added to the directory.
func routed(fields, more string) step {
	return put("/v1/directory", `{"locations": [`+routedLocations+`], "zones": [{"id": "all"}],
		"channels": [{"id": "web", "default": true, `+fields+`}, {"id": "shop", "locations": ["d"]}]`+more+`}`).is(200, "")
}

const (
	fromAB    = `"locations": ["a", "b"]`
	fromUnits = fromAB + `, "split": "units"`
)

// asked returns a reserve with lines of the form "SKU quantity".
func asked(id, fields string, lines ...string) step {
	var list []string
	for i, l := range lines {
		sku, n, _ := strings.Cut(l, " ")
		list = append(list, fmt.Sprintf(`{"line": "%d", "sku": "%s", "quantity": %s}`, i+1, sku, n))
	}
	if fields != "" {
		fields += ", "
	}
	return reserve(`{"id": "` + id + `", ` + fields + `"lines": [` + strings.Join(list, ", ") + `]}`)
}

// from sets the expected locations of each line, in the form "a 4 b 1".
func (s step) from(want ...string) step {
	s.check = func(body []byte) error {
		var got struct {
			Lines []struct {
				From []struct {
					Location string
					Quantity int
				}
			}
		}
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		var said []string
		for _, l := range got.Lines {
			var parts []string
			for _, f := range l.From {
				parts = append(parts, fmt.Sprint(f.Location, " ", f.Quantity))
			}
			said = append(said, strings.Join(parts, " "))
		}
		if fmt.Sprint(said) != fmt.Sprint(want) {
			return fmt.Errorf("comes from %q, want %q", said, want)
		}
		return nil
	}
	return s
}

func (s step) short(requested, available int) step {
	return s.refused(409, "insufficient_stock", fmt.Sprintf(`"shortages": [{"line": "1", "sku": "$A", "requested": %d, "available": %d}]`, requested, available))
}

func TestRouting(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) { p.check(t, routingTable) })
}

func stock(levels ...string) []step {
	var list []step
	for _, l := range levels {
		var sku, at string
		var units int
		if _, err := fmt.Sscan(l, &sku, &at, &units); err != nil {
			panic(err)
		}
		list = append(list, level(sku, at, units))
	}
	return list
}

const limited = `, "limits": [{"id": "drop", "skus": ["$A"], "per_customer": 2}]`

var routingTable = []scenario{
	{name: "each line where it is", given: append(stock("$A a 1", "$B b 1"), routed(fromAB, "")),
		when: asked("$o", "", "$A 1", "$B 1").from("a 1", "b 1")},
	{name: "another channel's stock is never used", given: append(stock("$A a 0", "$A d 9"), routed(fromAB, "")),
		when: asked("$o", "", "$A 1").short(1, 0),
		then: []step{asked("$o2", `"channel": "shop"`, "$A 1").from("d 1")}},
	{name: "no location of the channel has it", given: append(stock("$A d 9"), routed(fromAB, "")),
		when: asked("$o", "", "$A 1").refused(409, "no_location", `"rejected": [{"line": "1", "location": "a", "reason": "no_level"},
			{"line": "1", "location": "b", "reason": "no_level"}, {"line": "1", "location": "c", "reason": "not_in_channel"},
			{"line": "1", "location": "d", "reason": "not_in_channel"}]`)},
	{name: "lines does not split a line", given: append(stock("$A a 1", "$A b 1"), routed(fromAB, "")), when: asked("$o", "", "$A 2").short(2, 1)},
	{name: "units does", given: append(stock("$A a 1", "$A b 1"), routed(fromUnits, "")), when: asked("$o", "", "$A 2").from("a 1 b 1")},
	{name: "never does not", given: append(stock("$A a 1", "$A b 1"), routed(fromAB+`, "split": "never"`, "")), when: asked("$o", "", "$A 2").short(2, 1)},
	{name: "one location where one suffices", given: append(stock("$A a 5", "$A b 5"), routed(fromUnits, "")), when: asked("$o", "", "$A 2").from("a 2")},
	{name: "an empty location is passed over", given: append(stock("$A a 1", "$A b 0", "$A d 2"), routed(`"locations": ["a", "b", "d"], "split": "units"`, "")),
		when: asked("$o", "", "$A 3").from("a 1 d 2")},
	{name: "fewest locations come first", given: append(stock("$A a 10", "$A b 15"), routed(fromUnits, "")), when: asked("$o", "", "$A 13").from("b 13")},
	{name: "never more than was asked", given: append(stock("$A a 10", "$A b 15"), routed(fromUnits, "")), when: asked("$o", "", "$A 18").from("a 10 b 8")},
	{name: "whole kits", given: append(stock("$A a 4", "$A b 5"), routed(fromUnits, `, "kits": [{"sku": "$K", "components": [{"sku": "$A", "quantity": 3}]}]`)),
		when: asked("$o", "", "$K 2").is(201, `{"id": "$o", "state": "held", "version": 1, "expires_at": "<time>", "created_at": "<time>", "channel": "web",
			"lines": [{"line": "1", "sku": "$K", "quantity": 2, "requested": 2, "fulfilled": 0, "returned": 0,
				"from": [{"location": "a", "quantity": 1}, {"location": "b", "quantity": 1}],
				"components": [{"sku": "$A", "quantity": 6, "from": [{"location": "a", "quantity": 3}, {"location": "b", "quantity": 3}]}]}]}`)},
	{name: "the highest stock first", given: append(stock("$A a 3", "$A b 4"), routed(fromUnits+`, "rank": ["highest_stock"]`, "")), when: asked("$o", "", "$A 5").from("b 4 a 1")},
	{name: "the country of the address first", given: append(stock("$A a 5", "$A b 5"), routed(fromAB+`, "rank": ["same_country"]`, "")),
		when: asked("$o", `"ship_to": {"country": "fr"}`, "$A 1").from("b 1")},
	{name: "a rule without data abstains", given: append(stock("$A a 5", "$A b 5"), routed(fromAB+`, "rank": ["cost"]`, "")),
		when: asked("$o", `"ship_to": {"country": "FR"}`, "$A 1").from("a 1")},
	{name: "the pickup store alone", given: append(stock("$A a 5", "$A c 1"), routed(`"locations": ["a", "c"]`, "")),
		when: asked("$o", `"pickup": "c"`, "$A 2").short(2, 1), then: []step{asked("$o2", `"pickup": "c"`, "$A 1").from("c 1")}},
	{name: "a channel nobody knows", given: []step{routed(fromAB, "")}, when: asked("$o", `"channel": "fair"`, "$A 1").
		refused(422, "invalid_request", `"errors": [{"path": "/channel", "message": "is \"fair\", which the directory does not have; there are web, shop"}]`)},
	{name: "safety stock stays", given: []step{routed(fromAB, ""), put("/v1/stock/$A/a", `{"id": "$c", "on_hand": 8, "safety_stock": 5}`).is(201, "")},
		when: asked("$o", "", "$A 4").short(4, 3), then: []step{asked("$o2", "", "$A 3").from("a 3")}},
	{name: "a backorder is bounded", given: []step{routed(fromAB, ""), put("/v1/stock/$A/a", `{"id": "$c", "on_hand": 3, "backorder_limit": 5}`).is(201, "")},
		when: asked("$o", "", "$A 9").short(9, 8), then: []step{asked("$o2", "", "$A 8").from("a 8")}},
	{name: "lines of one SKU", given: append(stock("$A a 5"), routed(fromAB, "")),
		when: asked("$o", "", "$A 3", "$A 3").refused(409, "insufficient_stock", `"shortages": [{"line": "2", "sku": "$A", "requested": 3, "available": 2}]`)},
	{name: "a purchase limit", given: append(stock("$A a 9"), routed(fromAB, limited), asked("$o", `"customer": "$c"`, "$A 2")),
		when: asked("$o2", `"customer": "$c"`, "$A 1").refused(409, "purchase_limit", `"campaign": "drop", "limit": 2, "taken": 2, "identity": "$c"`),
		then: []step{
			asked("$o3", `"customer": "$other"`, "$A 2"),
			transition("release", "$o", ""),
			asked("$o4", `"customer": "$c"`, "$A 2"),
			transition("confirm", "$o4", ""),
			asked("$o5", `"customer": "$c"`, "$A 1").refused(409, "purchase_limit", `"campaign": "drop", "limit": 2, "taken": 2, "identity": "$c"`),
		}},
	{name: "a limited SKU has a customer", given: append(stock("$A a 9"), routed(fromAB, limited)),
		when: asked("$o", "", "$A 1").refused(422, "invalid_request", `"errors": [{"path": "/customer", "message": "is required, or identities: $A has a purchase limit"}]`)},
	{name: "a repeat is the reservation as it is, whatever the directory says", given: append(stock("$A a 9"), routed(fromAB, ""), asked("$o", "", "$A 1").from("a 1"),
		routed(`"locations": ["b"]`, "")),
		when: asked("$o", "", "$A 1").is(200, "").replayed().from("a 1"),
		then: []step{transition("confirm", "$o", "").from("a 1")}},
	{name: "moved", given: append(stock("$A a 2", "$A b 2"), routed(fromAB, ""), asked("$o", "", "$A 2").from("a 2")),
		when: transition("move", "$o", `{"version": 1, "line": "1", "to": "b"}`).from("b 2"),
		then: []step{
			transition("move", "$o", `{"version": 1, "line": "1", "to": "b"}`).replayed().from("b 2"),
			transition("confirm", "$o", "").from("b 2"),
			transition("move", "$o", `{"version": 3, "line": "1", "to": "a"}`).is(200, "").from("a 2"),
			get("/v1/stock/$A").is(200, `{"sku": "$A", "levels": [{`+units("$A", "a", [6]int{2, 0, 2, 0, 0, 0})+`}, {`+units("$A", "b", [6]int{2, 0, 0, 0, 0, 2})+`}]}`),
		}},
	{name: "moved to where there are too few", given: append(stock("$A a 2", "$A b 1"), routed(fromAB, ""), asked("$o", "", "$A 2")),
		when: transition("move", "$o", `{"version": 1, "line": "1", "to": "b"}`).
			refused(409, "insufficient_stock", `"shortages": [{"line": "1", "sku": "$A", "requested": 2, "available": 1}]`)},
	{name: "moved to nowhere", given: append(stock("$A a 2"), routed(fromAB, ""), asked("$o", "", "$A 2")),
		when: transition("move", "$o", `{"version": 1, "line": "1", "to": "moon"}`).
			refused(409, "no_location", `"rejected": [{"line": "1", "location": "moon", "reason": "unknown_location"}]`)},
	{name: "moved without a version", given: append(stock("$A a 2"), routed(fromAB, ""), asked("$o", "", "$A 2")),
		when: transition("move", "$o", `{"line": "1", "to": "b"}`).
			refused(422, "invalid_request", `"errors": [{"path": "/version", "message": "is required without an operation id, so that a repeat is recognised"}]`)},
	{name: "availability", given: append(stock("$A a 4", "$A b 5", "$A d 100"), routed(fromUnits, `, "kits": [{"sku": "$K", "components": [{"sku": "$A", "quantity": 3}]}]`)),
		when: post("/v1/availability", `{"skus": ["$A", "$K", "$none"]}`).is(200, `{"available": {"$A": 9, "$K": 2, "$none": 0}}`),
		then: []step{post("/v1/availability", `{"channel": "shop", "ship_to": {"country": "NO"}, "skus": ["$A"]}`).is(200, `{"available": {"$A": 100}}`),
			post("/v1/availability", `{"skus": []}`).refused(422, "invalid_request", `"errors": [{"path": "/skus", "message": "has 0 SKUs, must have from 1 to 200"}]`)}},
	{name: "a dry run", given: append(stock("$A a 1", "$A b 4"), routed(fromUnits+`, "rank": ["highest_stock"]`, "")),
		when: post("/v1/route", `{"lines": [{"line": "1", "sku": "$A", "quantity": 5}]}`).is(200, `{"channel": "web", "split": "units",
			"lines": [{"line": "1", "sku": "$A", "candidates": ["b", "a"], "rejected": [{"location": "c", "reason": "not_in_channel"}, {"location": "d", "reason": "not_in_channel"}],
				"would_take": [{"location": "b", "quantity": 4}, {"location": "a", "quantity": 1}]}],
			"ranking": [{"rule": "highest_stock"}]}`),
		then: []step{
			post("/v1/route", `{"lines": [{"line": "1", "sku": "$A", "quantity": 6}]}`).is(200, `{"channel": "web", "split": "units",
			"lines": [{"line": "1", "sku": "$A", "candidates": ["b", "a"], "rejected": [{"location": "c", "reason": "not_in_channel"}, {"location": "d", "reason": "not_in_channel"}],
				"would_take": []}], "ranking": [{"rule": "highest_stock"}],
			"refusal": {"type": "/docs/problems#insufficient_stock", "title": "<text>", "status": 409, "detail": "<text>", "code": "insufficient_stock",
				"shortages": [{"line": "1", "sku": "$A", "requested": 6, "available": 5}]}}`),
			asked("$o", "", "$A 5").from("b 4 a 1"),
		}},
}

// A directory is applied as a whole or not at all, each version once.
func TestDirectory(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		yaml := "locations:\n  - {id: a}\n  - {id: b}\nchannels:\n  - {id: web, default: true, locations: [a, b]}\n"
		written := func(body string) step {
			return put("/v1/directory?actor=anna", body).sending("Content-Type", "application/yaml")
		}
		const first = `"locations": [{"id": "a"}, {"id": "b"}], "channels": [{"id": "web", "default": true, "locations": ["a", "b"]}]`
		at := func(version int) string {
			return fmt.Sprintf(`{%s, "version": %d, "actor": "anna", "applied_at": "<time>"}`, first, version)
		}
		p.check(t, []scenario{
			{name: "none", when: get("/v1/directory").refused(404, "not_found", "")},
			{
				name: "put as YAML", when: written(yaml).sending("If-Match", `"0"`).is(200, at(1)).with("Etag", `"1"`).with("Idempotent-Replay", ""),
				then: []step{
					get("/v1/directory").is(200, at(1)).with("Etag", `"1"`),
					get("/v1/directory").sending("Accept", "application/yaml").is(200, "").with("Content-Type", "application/yaml"),
					written(yaml).is(200, at(1)).replayed(),
					put("/v1/directory", at(1)).is(200, at(1)).replayed(),
				},
			},
			{
				name: "of another version", when: written(yaml+"limits: [{id: x, per_customer: 1}]\n").sending("If-Match", `"0"`).refused(409, "version_conflict", `"version": 1`),
				then: []step{get("/v1/directory").is(200, at(1))},
			},
			{
				name: "a version that is none", when: written(yaml).sending("If-Match", `"x"`).
					refused(400, "malformed", `"errors": [{"path": "/If-Match", "message": "must be a version, such as \"3\""}]`),
			},
			{
				name: "all faults at once, with their lines", when: written("locations:\n  - {id: a, country: Germany}\n  - {id: a}\nchannels:\n  - {id: web, locations: [z]}\n").
					refused(422, "invalid_request", `"errors": [
						{"path": "/locations/0/country", "message": "line 2, column 22: is \"Germany\", must be two letters of ISO 3166-1, such as DE"},
						{"path": "/locations/1/id", "message": "line 3, column 10: is \"a\", which /locations/0 already has"},
						{"path": "/channels/0/locations/0", "message": "line 5, column 27: names \"z\", which is not one of the locations"}]`),
				then: []step{get("/v1/directory").is(200, at(1))},
			},
			{
				name: "faults of JSON", when: put("/v1/directory", `{"locations": [], "channels": []}`).refused(422, "invalid_request", `"errors": [
					{"path": "/locations", "message": "is required: add at least one location"}, {"path": "/channels", "message": "is required: add at least one channel"}]`),
			},
			{
				name: "not understood", when: written("locations: {id: a}\n").refused(400, "malformed", `"errors": [{"path": "/locations", "message": "line 1, column 12: must be a list"}]`),
			},
			{
				name: "without a location that has units", given: []step{level("$A", "a", 3), hold("$o", "$A", 2), transition("confirm", "$o", ""), hold("$p", "$A", 1), stocked("$A", "a", [6]int{3, 1, 2, 0, 0, 0})},
				when: put("/v1/directory", `{"locations": [{"id": "b"}], "channels": [{"id": "web", "locations": ["b"]}]}`).refused(409, "in_use", `"held": 1, "committed": 2`),
				then: []step{
					put("/v1/directory", `{"locations": [{"id": "a", "enabled": false}, {"id": "b"}], "channels": [{"id": "web", "default": true, "locations": ["a", "b"]}]}`).is(200, ""),
					hold("$q", "$A", 1).refused(409, "no_location", `"rejected": [{"line": "1", "location": "a", "reason": "disabled"}, {"line": "1", "location": "b", "reason": "no_level"}]`),
					transition("confirm", "$p", ""),
				},
			},
		})
	})
}

// TestDirectory_Instances applies a directory through one instance. Another one uses it within a second, and so
// does one that starts later.
func TestDirectory_Instances(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	one := startOn(t, redis)
	two := startOn(t, redis)
	one.do(t, "given", level("A", "a", 1_000_000)) // more than the loop below can take
	one.do(t, "given", level("A", "b", 1_000_000))
	n := 0
	served := func(p *program) string {
		n++
		got := p.send(t, hold(fmt.Sprint("o", n), "A", 1))
		return fmt.Sprint(decoded(t, got.body)["lines"])
	}
	for _, want := range []string{"b", "a"} {
		one.do(t, "given", routed(fmt.Sprintf(`"locations": ["%s", "d"]`, want), ""))
		began := time.Now()
		for !strings.Contains(served(two), "location:"+want) {
			if time.Since(began) > patience {
				t.Fatalf("the order is never served by %s", want)
			}
		}
		if took := time.Since(began); took > time.Second+busy {
			t.Errorf("used after %v", took)
		}
		if got := served(one); !strings.Contains(got, "location:"+want) {
			t.Errorf("the instance that applied it: %s", got)
		}
	}
	if got := served(startOn(t, redis)); !strings.Contains(got, "location:a") {
		t.Errorf("an instance that starts later: %s", got)
	}
}

// TestDirectory_File checks that a file of the setting directory.file is the only source of the directory.
func TestDirectory_File(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "locations.yaml")
	if err := os.WriteFile(file, []byte("locations: [{id: a}, {id: b}]\nchannels: [{id: web, default: true, locations: [b, a]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--directory-file="+file)
	p.check(t, []scenario{
		{name: "it routes", given: stock("$A a 1", "$A b 1"), when: asked("$o", "", "$A 1").from("b 1")},
		{name: "it is not changed", when: routed(fromAB, "").refused(409, "directory_is_file", "")},
		{name: "it is shown", when: get("/v1/directory").is(200, `{"locations": [{"id": "a"}, {"id": "b"}],
			"channels": [{"id": "web", "default": true, "locations": ["b", "a"]}], "version": "<any>", "applied_at": "<time>"}`)},
	})
}

// One reservation is collected in part. Reading it answers where each line goes.
func TestLineDestinations(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "given", level("A", "berlin", 5))
		p.do(t, "given", level("A", "corner", 5))
		const body = `{"id": "o", "ship_to": {"country": "DE"}, "lines": [{"line": "1", "sku": "A", "quantity": 1, "locations": ["berlin"]},` +
			`{"line": "2", "sku": "A", "quantity": 2, "pickup": "corner"}]}`
		held := line("1", "A", 1, 1, 0, "berlin") + "," + line("2", "A", 2, 2, 0, "corner")
		p.do(t, "when", reserve(body).is(201, reservation("o", "held", 1, held, "")))
		collected := strings.TrimSuffix(line("2", "A", 2, 2, 0, "corner"), "}") + `, "pickup": "corner"}`
		known := reservation("o", "held", 1, line("1", "A", 1, 1, 0, "berlin")+","+collected, `"ship_to": {"country": "DE"}`)
		await(t, "the ledger to know it", func() bool { return p.judge(t, read("o").is(200, known), p.send(t, read("o"))) == nil })
		p.do(t, "then", get("/v1/reservations").is(200, `{"reservations": [`+known+`]}`))
		p.do(t, "then", reserve(body).is(200, reservation("o", "held", 1, held, "")).replayed())
		p.do(t, "then", reserve(strings.Replace(body, "corner", "berlin", 1)).refused(409, "id_conflict", ""))
		p.do(t, "then", invalid(reserve(strings.Replace(body, `"pickup"`, `"ship_to": {}, "pickup"`, 1)), "/lines/1/pickup"))
	})
}
