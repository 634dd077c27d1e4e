package reconcile

import "github.com/holdfast/holdfast/cache"

// mark adds what an audit compares.
func (t *touched) mark(m *cache.Mark) {
	t.marks = true
	if n := len(m.Levels); m.How == cache.HowRange && n > 0 {
		t.ranges = append(t.ranges, [2]levelKey{keyOf(m.Levels[0].Name), keyOf(m.Levels[n-1].Name)})
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
			t.limits[key] = true
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
func (t *touched) repaired(r *cache.Repaired) {
	for _, item := range r.Items {
		t.level(item.Name)
		t.reservation(item.Name)
	}
}

// keyOf is the level of a name that is known to be one.
func keyOf(name string) levelKey {
	sku, at, _ := cache.SplitLevel(name)
	return levelKey{sku, at}
}

func (t *touched) level(name string) {
	if sku, at, ok := cache.SplitLevel(name); ok {
		t.levels[levelKey{sku, at}] = true
	}
}

func (t *touched) reservation(id string) {
	if cache.IsIdentifier(id) {
		t.compared[id] = true
	}
}

// allIDs is the reservations that events touch, and those that an audit compares, in order.
func (t *touched) allIDs() []string {
	all := make(map[string]bool, len(t.ids)+len(t.compared))
	for _, set := range []map[string]bool{t.ids, t.compared} {
		for id := range set {
			all[id] = true
		}
	}
	return sortedKeys(all)
}
