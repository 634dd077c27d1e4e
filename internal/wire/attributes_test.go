package wire

import (
	"maps"
	"reflect"
	"testing"
)

// TestRecordLimit checks that a record keeps whose units each limit counts, and under which counter.
func TestRecordLimit(t *testing.T) {
	r := Record{
		State: StateHeld, Version: 1, Expires: 9, CreationNonce: "n", Created: 1, Fingerprint: "f", Customer: "c-9",
		Lines: []RecordLine{{
			Line: "1", SKU: "TEE", Requested: 6, Kit: &RecordKit{SKU: "GIFT", Each: 2},
			Limits: []RecordLimit{
				{ID: "drop 1", Most: 4, Each: 2}, {ID: "drop 1", Most: 100, Each: 2, Named: true},
				{ID: "all", Most: 9, Each: 1, Named: true, Identity: "card 7"},
			},
			From: []RecordAllocation{{Location: "berlin", Quantity: 6}},
		}},
	}
	again, err := DecodeRecord(r.Encode())
	if err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("%+v, %v", again, err)
	}
	want := map[LimitKey]int64{{"drop 1", "c-9"}: 3, {"drop 1", ""}: 3, {"all", "card 7"}: 6}
	if got := r.LimitCounts(); !maps.Equal(got, want) {
		t.Errorf("counts %v, want %v", got, want)
	}
	r.Lines[0].Limits = append(r.Lines[0].Limits,
		RecordLimit{ID: "drop 1", Most: 4, Each: 2, Named: true, Identity: "c-9"}, // the customer, counted already
		RecordLimit{ID: "lent", Most: 4, Each: 2, FreesOnReturn: true},
		RecordLimit{ID: "lent", Most: 9, Each: 2, FreesOnReturn: true, Named: true, Identity: "card 7"})
	r.State, r.Lines[0].From[0].Fulfilled, r.Lines[0].Returned = StateFulfilled, 6, 4
	if again, err := DecodeRecord(r.Encode()); err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("%+v, %v", again, err)
	}
	want[LimitKey{"lent", "c-9"}], want[LimitKey{"lent", "card 7"}] = 1, 1
	if got := r.LimitCounts(); !maps.Equal(got, want) {
		t.Errorf("counts %v, want %v", got, want)
	}
	guest := r
	guest.Customer = ""
	delete(want, LimitKey{"lent", "c-9"}) // drop 1 names c-9 as an identity
	if got := guest.LimitCounts(); !maps.Equal(got, want) {
		t.Errorf("counts %v of a guest, want %v", got, want)
	}
	for key := range want {
		if again, ok := SplitLimit(key.Name()); !ok || again != key {
			t.Errorf("%q: %v %v", key.Name(), again, ok)
		}
	}
	for _, name := range []string{"", "drop", "\x1fc-9", "drop\x1fc\x1f9", "\x1f"} {
		if key, ok := SplitLimit(name); ok {
			t.Errorf("%q: %v", name, key)
		}
	}
}
