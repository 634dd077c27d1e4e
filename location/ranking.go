package location

import (
	"fmt"
	"slices"
	"strings"
)

// Ranked returns the candidates in their final order, given the available units at each.
func (c Candidates) Ranked(available func(ID) int64) []ID {
	ids, from := slices.Clone(c.IDs), 0
	for _, end := range c.Groups {
		slices.SortStableFunc(ids[from:end], func(a, b ID) int {
			switch x, y := available(a), available(b); {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
		from = end
	}
	return ids
}

// Ranking describes how a rule of the channel orders the candidates.
type Ranking struct {
	Rule     Rank
	Abstains string   // why it does not order them, or not all; else ""
	Says     []string // one text for each candidate, in their order, such as "berlin: 255 km"
}

// Ranking describes each rule of the channel, for people to read. It returns nil without rules or
// candidates.
func (r Routing) Ranking() []Ranking {
	if r.channel == nil || len(r.channel.Rank) == 0 || len(r.candidates.IDs) == 0 {
		return nil
	}
	list := make([]Ranking, 0, len(r.channel.Rank))
	for _, rule := range r.channel.Rank {
		list = append(list, r.explainRule(rule))
	}
	return list
}

func (r *Routing) explainRule(rule Rank) Ranking {
	says := Ranking{Rule: rule}
	var missing []string
	for _, id := range r.candidates.IDs {
		p := &r.rules.places[r.rules.index[id]]
		_, known := rule.key(p, &r.to)
		if says.Says = append(says.Says, string(id)+": "+rule.describe(p, &r.to)); !known {
			missing = append(missing, string(id))
		}
	}
	switch {
	case rule == RankHighestStock:
		says.Says = nil
	case rule == RankSameCountry && r.to.country == "":
		says.Abstains, says.Says = "the address has no country", nil
	case rule == RankNearest && !r.to.located:
		says.Abstains, says.Says = "the position of the address is unknown", nil
	case len(missing) > 0:
		says.Abstains = "for those without data: " + strings.Join(missing, ", ")
	}
	return says
}

func (rule Rank) describe(p *place, to *destination) string {
	_, known := rule.key(p, to)
	switch {
	case !known:
		return "unknown"
	case rule == RankSameCountry && p.country == to.country:
		return "in " + p.country + ", like the address"
	case rule == RankSameCountry:
		return "in " + p.country + ", not " + to.country
	case rule == RankNearest:
		return fmt.Sprintf("%.0f km", p.position.distance(to.position))
	case rule == RankPriority:
		return fmt.Sprintf("priority %g", *p.Priority)
	default:
		return fmt.Sprintf("cost %g", *p.Cost)
	}
}
