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
