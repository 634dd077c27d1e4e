package location

import "slices"

// ranked is a place under comparison.
type ranked struct {
	*place
	key   float64 // of the rule that orders now: the lower first
	order int     // among those that are tied
}

// rank orders places by the channel's rules. Each rule orders what those before it left tied, and
// abstains from a tie of which it lacks data; what is still tied keeps the channel's order.
func (c *channel) rank(list []ranked, to *destination) Candidates {
	rules, rest, live := c.rules()
	groups := []int{len(list)}
	for _, rule := range rules {
		groups = rule.refine(list, groups, to)
	}
	if live {
		within := groups
		for _, rule := range rest {
			within = rule.refine(list, within, to)
		}
	}
	found := Candidates{IDs: make([]ID, len(list))}
	for i := range list {
		found.IDs[i] = list[i].ID
	}
	if live && len(groups) < len(list) {
		found.Groups = groups
	}
	return found
}

// rules is the rules before and behind the one that looks at what is available, if there is that one.
func (c *channel) rules() (before, behind []Rank, live bool) {
	at := slices.Index(c.Rank, RankHighestStock)
	if at < 0 {
		return c.Rank, nil, false
	}
	return c.Rank[:at], c.Rank[at+1:], true
}

// refine orders each group of list by a rule, and returns the groups that are still tied, as their ends.
func (rule Rank) refine(list []ranked, groups []int, to *destination) []int {
	if len(groups) == len(list) { // nothing is tied
		return groups
	}
	refined := make([]int, 0, len(list))
	from := 0
	for _, end := range groups {
		group := list[from:end]
		if len(group) > 1 && rule.weigh(group, to) {
			slices.SortFunc(group, before)
			for i := 1; i < len(group); i++ {
				if group[i].key != group[i-1].key {
					refined = append(refined, from+i)
				}
			}
		}
		if end > from {
			refined = append(refined, end)
		}
		from = end
	}
	return refined
}

// before orders by key, and what is tied as it was: a stable sort takes twice as long. No key is NaN.
func before(a, b ranked) int {
	switch {
	case a.key < b.key:
		return -1
	case a.key > b.key:
		return 1
	default:
		return a.order - b.order
	}
}

// weigh gives each place of a group its key; false says that the rule abstains, for it lacks data of the
// address or of one of them.
func (rule Rank) weigh(group []ranked, to *destination) bool {
	for i := range group {
		key, known := rule.key(group[i].place, to)
		if !known {
			return false
		}
		group[i].key, group[i].order = key, i
	}
	return true
}

// key is what a rule orders a place by; known is false where it lacks its data.
func (rule Rank) key(p *place, to *destination) (key float64, known bool) {
	switch rule {
	case RankSameCountry:
		if p.country == to.country {
			return 0, to.country != ""
		}
		return 1, p.country != "" && to.country != ""
	case RankNearest:
		return -p.position.dot(to.position), p.located && to.located // the nearer, the larger the product
	case RankPriority:
		return value(p.Priority)
	case RankCost:
		return value(p.Cost)
	default:
		return 0, false
	}
}

func value(number *float64) (float64, bool) {
	if number == nil {
		return 0, false
	}
	return *number, true
}
