package ledger

import "github.com/holdfast/holdfast/cache"

// mark adds what an audit compares.
func (t *Touched) mark(m *cache.Mark) {
	t.Marks = true
	if n := len(m.Levels); m.How == cache.HowRange && n > 0 {
		t.Ranges = append(t.Ranges, [2]LevelKey{keyOf(m.Levels[0].Name), keyOf(m.Levels[n-1].Name)})
	} else {
		for _, l := range m.Levels {
			t.level(l.Name)
		}
	}
	for _, r := range m.Reservations {
		t.reservation(r.ID)
	}
	for _, l := range m.Limits {
		if key, ok := cache.SplitLimit(l.Name); ok {
			t.Limits[key] = true
		}
	}
	for _, d := range m.Deadlines {
		if d.Lost.There {
			for _, id := range cache.DeadlineIDs(d.Lost.Text) {
				t.reservation(id)
			}
		}
	}
}

// repaired adds what a repair tells of.
func (t *Touched) repaired(r *cache.Repaired) {
	for _, item := range r.Items {
		t.level(item.Name)
		t.reservation(item.Name)
	}
}

// keyOf is the level of a name that is known to be one.
func keyOf(name string) LevelKey {
	sku, at, _ := cache.SplitLevel(name)
	return LevelKey{sku, at}
}

func (t *Touched) level(name string) {
	if sku, at, ok := cache.SplitLevel(name); ok {
		t.Levels[LevelKey{sku, at}] = true
	}
}

func (t *Touched) reservation(id string) {
	if cache.IsIdentifier(id) {
		t.Compared[id] = true
	}
}

// AllIDs is the reservations that events touch, and those that an audit compares, in order.
func (t *Touched) AllIDs() []string {
	all := make(map[string]bool, len(t.Ids)+len(t.Compared))
	for _, set := range []map[string]bool{t.Ids, t.Compared} {
		for id := range set {
			all[id] = true
		}
	}
	return SortedKeys(all)
}
