package postgres

import (
	"strings"
	"testing"
)

func TestRecent(t *testing.T) {
	r := newRecent(2, func(int, string) int { return 1 })
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

// TestRecent_Bytes checks that long values take the place of many short ones, and that a value that
// is replaced or dropped no longer counts.
func TestRecent_Bytes(t *testing.T) {
	r := newRecent(100, func(_ int, v string) int { return len(v) })
	kept := func() (bytes int) {
		for _, half := range []map[int]string{r.newer, r.older} {
			for _, v := range half {
				bytes += len(v)
			}
		}
		return bytes
	}
	for i := range 1000 {
		r.put(i, strings.Repeat("x", 1+i%40))
		if n := kept(); n > 2*(100+40) {
			t.Fatalf("%d bytes are kept", n)
		}
	}
	r = newRecent(100, r.size)
	r.put(1, "short")
	for range 1000 {
		r.put(2, strings.Repeat("x", 60))
		r.put(3, strings.Repeat("x", 60))
		r.drop(3)
	}
	if _, there := r.find(1); !there {
		t.Error("1 made room for values that were replaced or dropped")
	}
}
