package postgres

import "testing"

func TestRecent(t *testing.T) {
	r := newRecent[int, string](2)
	for i, v := range []string{"a", "b", "c", "d", "e"} {
		r.put(i, v)
	}
	for i, want := range []string{"", "", "c", "d", "e"} {
		if got, there := r.find(i); got != want || there != (want != "") {
			t.Errorf("%d is %q %v", i, got, there)
		}
	}
	r.put(2, "again")
	r.drop(3)
	if got, _ := r.find(2); got != "again" {
		t.Errorf("2 is %q", got)
	}
	if _, there := r.find(3); there {
		t.Error("3 is still there")
	}
}
