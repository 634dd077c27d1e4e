package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/holdfast/holdfast/internal/contract"
)

// explanation prints a route for people.
type explanation struct{ route *contract.Route }

func (e explanation) write(w io.Writer) {
	fmt.Fprintln(w, e.verdict())
	for i := range e.route.Lines {
		fmt.Fprintln(w)
		e.line(w, &e.route.Lines[i])
	}
	e.ranking(w)
}

// verdict says what reserve would answer.
func (e explanation) verdict() string {
	as := "split " + e.route.Split
	if e.route.Channel != "" {
		as = "channel " + e.route.Channel + ", " + as
	}
	switch refusal := e.route.Refusal; {
	case refusal == nil:
		return "It would be held (" + as + ")."
	case refusal.Code == "no_location": // the lines print its detail
		return "It would be refused (" + as + "): no_location: a line has no location that may serve it"
	default:
		return "It would be refused (" + as + "): " + refusal.Error()
	}
}

// line prints the candidates of a line in the order in which they are tried, then the rejected
// locations.
func (e explanation) line(w io.Writer, l *contract.RoutedLine) {
	fmt.Fprintf(w, "line %s: %s\n", l.Line, l.SKU)
	takes := map[string]int64{}
	for _, a := range l.WouldTake {
		takes[a.Location] += a.Quantity
	}
	for i, at := range l.Candidates {
		role := "candidate"
		if n := takes[at]; n > 0 {
			role = fmt.Sprintf("serves %d", n)
		}
		fmt.Fprintf(w, "  %d.\t%s\t%s\n", i+1, at, role)
	}
	for _, r := range l.Rejected {
		fmt.Fprintf(w, "  -\t%s\tnot used: %s\n", r.Location, e.reason(l, r.Reason))
	}
	if len(l.Candidates)+len(l.Rejected) == 0 {
		fmt.Fprintln(w, "  no location has a level of it")
	}
}

// reason explains the code of a rejection.
func (e explanation) reason(l *contract.RoutedLine, code string) string {
	switch code {
	case "not_in_channel":
		return "channel " + e.route.Channel + " does not sell from it"
	case "disabled":
		return "it is disabled"
	case "zone":
		return "none of its zones covers the address"
	case "not_pickup":
		return "it is not the pickup location, or does not offer pickup"
	case "not_pin":
		return "the line is pinned to another location"
	case "no_level":
		return "it has no level of " + l.SKU
	case "unknown_location":
		return "the directory does not have it"
	default:
		return code
	}
}

// ranking prints what each rule of the channel decided.
func (e explanation) ranking(w io.Writer) {
	if len(e.route.Ranking) == 0 {
		return
	}
	fmt.Fprintln(w, "\norder of the candidates: the first rule that separates two decides; "+
		"if none does, the channel's own order")
	for _, rule := range e.route.Ranking {
		text := strings.Join(rule.Says, "; ")
		switch {
		case rule.Abstains != "" && text != "":
			text += " (abstains " + rule.Abstains + ")"
		case rule.Abstains != "":
			text = "abstains: " + rule.Abstains
		case text == "":
			text = "larger available first, at the moment of the decision"
		}
		fmt.Fprintf(w, "  %s\t%s\n", rule.Rule, text)
	}
}
