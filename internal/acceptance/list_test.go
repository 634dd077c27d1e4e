package acceptance

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// pages reads all pages of a listing and returns the levels of each, as "SKU LOCATION".
func (p *program) pages(t *testing.T, query string) [][]string {
	t.Helper()
	var pages [][]string
	for cursor := ""; ; {
		path := "/v1/stock?" + query
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		page := decoded(t, p.do(t, "when", get(path)).body)
		var levels []string
		for _, entry := range page["levels"].([]any) {
			l := entry.(map[string]any)
			levels = append(levels, fmt.Sprint(l["sku"], " ", l["location"]))
		}
		pages = append(pages, levels)
		next, more := page["next_cursor"]
		if !more {
			return pages
		}
		if cursor = next.(string); cursor == "" || len(pages) > 100 {
			t.Fatalf("a cursor that leads nowhere: %v", page)
		}
	}
}

func TestListLevels(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "when", get("/v1/stock").is(200, `{"levels": [], "position": "<text>"}`))
		var all []string
		for _, sku := range []string{"CAP", "TEE", "TEE-L", "TEE-M", "Z/é ü"} {
			for _, at := range []string{"berlin", "lyon"} {
				p.do(t, "given", level(url.PathEscape(sku), at, 1))
				all = append(all, sku+" "+at)
				// A new level is listed as soon as its call is answered.
				if got := slices.Concat(p.pages(t, "")...); !slices.Equal(got, all) {
					t.Fatalf("after the call that made it: %v, want %v", got, all)
				}
			}
		}
		p.do(t, "when", get("/v1/stock?sku_prefix=CAP&location=lyon").is(200, `{"levels": [{`+units("CAP", "lyon", [6]int{1, 0, 0, 0, 0, 1})+`}], "position": "<text>"}`))
		for _, c := range []struct {
			query string
			sizes []int // of each page
			want  []string
		}{
			{"", []int{10}, all},
			{"limit=500", []int{10}, all},
			{"limit=1", []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, all},
			{"limit=3", []int{3, 3, 3, 1}, all},
			{"limit=5", []int{5, 5}, all}, // the last page is full
			{"limit=10", []int{10}, all},
			{"location=lyon&limit=2", []int{2, 2, 1}, []string{"CAP lyon", "TEE lyon", "TEE-L lyon", "TEE-M lyon", "Z/é ü lyon"}},
			{"sku_prefix=TEE&limit=4", []int{4, 2}, all[2:8]},
			{"sku_prefix=TEE-&location=berlin", []int{2}, []string{"TEE-L berlin", "TEE-M berlin"}},
			{"sku_prefix=Z%2F%C3%A9", []int{2}, all[8:]},
			{"sku_prefix=tee", []int{0}, nil},
			{"location=nowhere", []int{0}, nil},
			{"location=&sku_prefix=&limit=&cursor=", []int{10}, all},
		} {
			t.Run(c.query, func(t *testing.T) {
				pages := p.pages(t, c.query)
				var sizes []int
				for _, page := range pages {
					sizes = append(sizes, len(page))
				}
				if got := slices.Concat(pages...); !slices.Equal(got, c.want) || !slices.Equal(sizes, c.sizes) {
					t.Errorf("%v %v, want %v %v", sizes, got, c.sizes, c.want)
				}
			})
		}
		p.check(t, []scenario{
			{name: "limit 0", when: invalid(get("/v1/stock?limit=0"), "/limit")},
			{name: "limit 501", when: invalid(get("/v1/stock?limit=501"), "/limit")},
			{name: "limit below 0", when: invalid(get("/v1/stock?limit=-1"), "/limit")},
			{name: "limit of 20 digits", when: invalid(get("/v1/stock?limit=99999999999999999999"), "/limit")},
			{name: "limit is no number", when: get("/v1/stock?limit=ten").refused(400, "malformed", `"errors": [{"path": "/limit", "message": "<text>"}]`)},
			{name: "limit 1.5", when: get("/v1/stock?limit=1.5").refused(400, "malformed", `"errors": [{"path": "/limit", "message": "<text>"}]`)},
			{name: "a cursor of nobody", when: invalid(get("/v1/stock?cursor=abc"), "/cursor")},
			{
				name: "a prefix that is no identifier", given: []step{level(".5MM", "berlin", 1)},
				when: get("/v1/stock?sku_prefix=.").is(200, `{"levels": [{`+units(".5MM", "berlin", [6]int{1, 0, 0, 0, 0, 1})+`}], "position": "<text>"}`),
			},
			{name: "unknown parameter", when: get("/v1/stock?prefix=A").refused(400, "malformed", `"errors": [{"path": "/prefix", "message": "<text>"}]`)},
			{name: "no identifier", when: invalid(get("/v1/stock?location=%7B"), "/location")},
		})
	})
}

func TestListOfManyLevels(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		rows := strings.SplitAfter(sheet("M", 1000, 1), "},")
		p.do(t, "given", counts("many", strings.TrimSuffix(strings.Join(rows[:500], ""), ",")))
		p.do(t, "given", counts("more", strings.Join(rows[500:], "")))
		for query, sizes := range map[string][]int{
			"":          slices.Repeat([]int{50}, 20), // the default
			"limit=500": {500, 500},
			"limit=499": {499, 499, 2},
		} {
			pages := p.pages(t, query)
			var got []int
			seen := map[string]bool{}
			for _, page := range pages {
				got = append(got, len(page))
				for _, name := range page {
					seen[name] = true
				}
			}
			if !slices.Equal(got, sizes) || len(seen) != 1000 {
				t.Errorf("%q: pages of %v with %d levels, want %v", query, got, len(seen), sizes)
			}
		}
		if first := p.pages(t, "sku_prefix=M099&limit=500"); len(first) != 1 || strings.Join(first[0], ",")[:len("M0990 berlin")] != "M0990 berlin" {
			t.Errorf("got %v", first)
		}
	})
}
