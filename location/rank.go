package location

import "slices"

// ranked is a place while rules order it.
type ranked struct {
	*place
	key   float64 // of the current rule: lowest first
	order int     // before the current rule, among the tied places
}

// rank orders places by the channel's rules. Each rule orders the places that the rules before it
// left tied, unless it lacks data. Places that are still tied keep the channel's order.
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
	candidates := Candidates{IDs: make([]ID, len(list))}
	for i := range list {
		candidates.IDs[i] = list[i].ID
	}
	if live && len(groups) < len(list) {
		candidates.Groups = groups
	}
	return candidates
}

// rules splits the rules at highest_stock, which only a script can apply. live says whether there
// is one.
func (c *channel) rules() (before, behind []Rank, live bool) {
	at := slices.Index(c.Rank, RankHighestStock)
	if at < 0 {
		return c.Rank, nil, false
	}
	return c.Rank[:at], c.Rank[at+1:], true
}

// refine orders each group of tied places by a rule. It returns the ends of the groups that are
// then tied.
func (rule Rank) refine(list []ranked, groups []int, to *destination) []int {
	if len(groups) == len(list) { // nothing is tied
		return groups
	}
	refined := make([]int, 0, len(list))
	from := 0
	for _, end := range groups {
		group := list[from:end]
		if len(group) > 1 && rule.setKeys(group, to) {
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

// before orders by key, then as before: a stable sort would take twice as long. No key is NaN.
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

// setKeys sets the key of each place in a group. It returns false if the rule abstains, because it
// lacks data of the address or of a place.
func (rule Rank) setKeys(group []ranked, to *destination) bool {
	for i := range group {
		key, known := rule.key(group[i].place, to)
		if !known {
			return false
		}
		group[i].key, group[i].order = key, i
	}
	return true
}

// key returns the number by which a rule orders a place. known is false if the rule lacks data.
func (rule Rank) key(p *place, to *destination) (key float64, known bool) {
	switch rule {
	case RankSameCountry:
		if p.country == to.country {
			return 0, to.country != ""
		}
		return 1, p.country != "" && to.country != ""
	case RankNearest:
		return -p.position.dot(to.position), p.located && to.located // the larger the product, the nearer
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
