package recovery

import (
	"reflect"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// record returns a reservation of one line: units of TEE from berlin, some of which have left.
func record(state cache.State, version, units, left int64) *wire.Record {
	return &wire.Record{
		State: state, Version: version, Expires: 1000, CreationNonce: "n", Fingerprint: "f",
		Lines: []wire.RecordLine{{Line: "1", SKU: "TEE", Requested: 3, From: []wire.RecordAllocation{{Location: "berlin", Quantity: units, Fulfilled: left}}}},
	}
}

// changed returns a record after change.
func changed(r *wire.Record, change func(*wire.Record)) *wire.Record {
	change(r)
	return r
}

func TestPlanOf(t *testing.T) {
	t.Parallel()
	units := func(n int64) []cache.LineQuantity { return []cache.LineQuantity{{Line: "1", Quantity: n}} }
	at := func(id location.ID) func(*wire.Record) {
		return func(r *wire.Record) { r.Lines[0].From[0].Location = id }
	}
	kit := func(r *wire.Record) {
		r.Lines[0].Kit = &wire.RecordKit{SKU: "SET", Each: 2}
		r.Lines = append(r.Lines, wire.RecordLine{Line: "1", SKU: "CAP", Kit: &wire.RecordKit{SKU: "SET", Each: 1}, From: []wire.RecordAllocation{{Location: "berlin", Quantity: 2, Fulfilled: 1}}})
	}
	const held, confirmed, fulfilled, released, expired = cache.StateHeld, cache.StateConfirmed, cache.StateFulfilled, cache.StateReleased, cache.StateExpired
	for name, c := range map[string]struct {
		was, now *wire.Record
		known    int64 // version of the ledger
		at       int64
		want     plan
		left     string
	}{
		"a hold":                {was: record(held, 1, 3, 0), want: plan{hold: true}},
		"a hold that is over":   {was: record(held, 1, 3, 0), at: 1000, want: plan{over: "its deadline has passed"}},
		"a sale":                {was: record(confirmed, 2, 3, 0), at: 9999, want: plan{hold: true, confirm: true}},
		"a sale in part left":   {was: record(confirmed, 3, 3, 1), want: plan{hold: true, confirm: true, fulfill: units(1)}},
		"a sale that left":      {was: record(fulfilled, 3, 3, 3), want: plan{hold: true, confirm: true, rest: true}},
		"a kit in part left":    {was: changed(record(confirmed, 3, 4, 2), kit), want: plan{hold: true, confirm: true, fulfill: units(1)}},
		"released":              {was: record(released, 2, 3, 0), want: plan{over: "it has no units"}},
		"expired":               {was: record(expired, 2, 3, 0), want: plan{over: "it has no units"}},
		"a line without units":  {was: changed(record(confirmed, 3, 3, 0), func(r *wire.Record) { r.Lines[0].From = nil }), want: plan{over: "it has no units"}},
		"held, was a sale":      {was: record(confirmed, 2, 3, 0), now: record(held, 1, 3, 0), known: 1, want: plan{confirm: true}},
		"expired, was a sale":   {was: record(confirmed, 2, 3, 0), now: record(expired, 2, 3, 0), known: 1, want: plan{confirm: true}},
		"released, was a sale":  {was: record(confirmed, 2, 3, 0), now: record(released, 2, 3, 0), known: 1, left: "it was released since then"},
		"sold, had left":        {was: record(fulfilled, 3, 3, 3), now: record(confirmed, 2, 3, 0), known: 2, want: plan{rest: true}},
		"sold, one more left":   {was: record(confirmed, 4, 3, 2), now: record(confirmed, 3, 3, 1), known: 3, want: plan{fulfill: units(1)}},
		"taken before":          {was: record(confirmed, 3, 3, 1), now: changed(record(confirmed, 3, 3, 1), func(r *wire.Record) { r.CreationNonce = "m" }), want: plan{over: "it is confirmed"}},
		"gone on since":         {was: record(confirmed, 2, 3, 0), now: record(fulfilled, 3, 3, 3), known: 1, want: plan{over: "it is fulfilled"}},
		"held, was released":    {was: record(released, 2, 3, 0), now: record(held, 1, 3, 0), known: 1, want: plan{cancel: true}},
		"sold, was released":    {was: record(released, 3, 3, 0), now: record(confirmed, 2, 3, 0), known: 2, want: plan{cancel: true}},
		"sold since, released":  {was: record(released, 3, 3, 0), now: record(confirmed, 2, 3, 0), known: 1, left: "it was released, and is confirmed since: look which is right"},
		"held, has expired":     {was: record(expired, 2, 3, 0), now: record(held, 1, 3, 0), known: 1, want: plan{over: "it ends at its deadline"}},
		"both are over":         {was: record(released, 2, 3, 0), now: record(expired, 2, 3, 0), known: 1, want: plan{over: "it is expired"}},
		"one was given back":    {was: record(confirmed, 3, 2, 0), now: record(confirmed, 2, 3, 0), known: 2, want: plan{release: units(1)}},
		"given back, and since": {was: record(confirmed, 3, 2, 0), now: record(confirmed, 4, 3, 0), known: 2, want: plan{over: "it is confirmed", notes: []string{"line 1 has 3 and had 2: release the rest if it is not wanted"}}},
		"one came back":         {was: changed(record(confirmed, 4, 3, 2), func(r *wire.Record) { r.Lines[0].Returned = 1 }), now: record(confirmed, 3, 3, 2), known: 3, want: plan{over: "it is confirmed", notes: []string{"1 of line 1 had come back: add them to the stock"}}},
		"moved":                 {was: changed(record(confirmed, 3, 3, 0), at("lyon")), now: record(confirmed, 2, 3, 0), known: 2, want: plan{over: "it is confirmed", notes: []string{"line 1 comes from [berlin] and came from [lyon]: move it"}}},
		"more units":            {was: record(confirmed, 3, 3, 0), now: record(held, 1, 2, 0), known: 1, want: plan{confirm: true, amend: []cache.LineAmendment{{Line: "1", Quantity: 3}}}},
		"more units, and since": {was: record(confirmed, 3, 3, 0), now: record(confirmed, 4, 2, 0), known: 2, want: plan{over: "it is confirmed", notes: []string{"line 1 has 2 and had 3: amend it if that is not wanted"}}},
		"another line": {was: changed(record(fulfilled, 3, 1, 1), func(r *wire.Record) { r.Lines[0].Line, r.Lines[0].Backorder = "2", true }), now: record(confirmed, 2, 3, 0), known: 2, want: plan{
			amend: []cache.LineAmendment{{Line: "2", Quantity: 1, SKU: "TEE", Backorder: true}, {Line: "1"}}, rest: true,
		}},
		"fewer, and all left":    {was: record(fulfilled, 4, 2, 2), now: record(confirmed, 3, 3, 2), known: 3, want: plan{amend: []cache.LineAmendment{{Line: "1", Quantity: 2}}, rest: true}},
		"unfulfilled":            {was: record(confirmed, 4, 3, 1), now: record(fulfilled, 3, 3, 3), known: 3, want: plan{unfulfill: units(2)}},
		"unfulfilled, and since": {was: record(confirmed, 4, 3, 1), now: record(fulfilled, 5, 3, 3), known: 3, want: plan{over: "it is fulfilled"}},
		"of another customer":    {was: changed(record(held, 2, 3, 0), func(r *wire.Record) { r.Customer = "c" }), now: record(held, 1, 3, 0), known: 1, want: plan{describe: true}},
		"another reservation":    {was: record(confirmed, 2, 3, 0), now: changed(record(held, 1, 3, 0), func(r *wire.Record) { r.Fingerprint = "g" }), left: "its id belongs to another reservation now"},
		"archived":               {was: record(confirmed, 2, 3, 0), now: changed(record(fulfilled, 3, 3, 3), func(r *wire.Record) { r.Lines = nil }), want: plan{over: "it was archived"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, left := planOf(&Lost{ID: "a", State: c.was.State, LedgerVersion: c.known, Record: c.was}, c.now, c.at)
			if !reflect.DeepEqual(got, c.want) || left != c.left {
				t.Errorf("%+v, %q, want %+v, %q", got, left, c.want, c.left)
			}
		})
	}
}
