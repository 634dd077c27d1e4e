package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/holdfast/holdfast/internal/contract"
)

// explanation is a route in words.
type explanation struct{ route *contract.Route }

func (e explanation) write(w io.Writer) {
	fmt.Fprintln(w, e.verdict())
	for i := range e.route.Lines {
		fmt.Fprintln(w)
		e.line(w, &e.route.Lines[i])
	}
	e.ranking(w)
}

// verdict says what a reserve would be answered.
func (e explanation) verdict() string {
	as := "split " + e.route.Split
	if e.route.Channel != "" {
		as = "channel " + e.route.Channel + ", " + as
	}
	switch refusal := e.route.Refusal; {
	case refusal == nil:
	case refusal.Code == "no_location": // its detail is what the lines say
		return "It would be refused (" + as + "): no_location: a line has no location that may serve it"
	default:
		return "It would be refused (" + as + "): " + refusal.Error()
	}
	return "It would be held (" + as + ")."
}

// line says of each location what it is to a line: the candidates first, in the order they are tried.
func (e explanation) line(w io.Writer, l *contract.RoutedLine) {
	fmt.Fprintf(w, "line %s: %s\n", l.Line, l.SKU)
	takes := map[string]int64{}
	for _, a := range l.WouldTake {
		takes[a.Location] += a.Quantity
	}
	for i, at := range l.Candidates {
		said := "candidate"
		if n := takes[at]; n > 0 {
			said = fmt.Sprintf("serves %d", n)
		}
		fmt.Fprintf(w, "  %d.\t%s\t%s\n", i+1, at, said)
	}
	for _, r := range l.Rejected {
		fmt.Fprintf(w, "  -\t%s\tnot used: %s\n", r.Location, e.reason(l, r.Reason))
	}
	if len(l.Candidates)+len(l.Rejected) == 0 {
		fmt.Fprintln(w, "  no location has a level of it")
	}
}

// reason is a reason in plain words.
func (e explanation) reason(l *contract.RoutedLine, reason string) string {
	switch reason {
	case "not_in_channel":
		return "channel " + e.route.Channel + " does not sell from it"
	case "disabled":
		return "it is disabled"
	case "zone":
		return "none of its zones covers the address"
	case "not_pickup":
		return "it is not the store that the order is collected from, or customers can't collect there"
	case "not_pin":
		return "the line is pinned to another location"
	case "no_level":
		return "it has no level of " + l.SKU
	case "unknown_location":
		return "the directory does not have it"
	default:
		return reason
	}
}

// ranking says what each rule of the channel did.
func (e explanation) ranking(w io.Writer) {
	if len(e.route.Ranking) == 0 {
		return
	}
	fmt.Fprintln(w, "\norder of the candidates: the first rule that tells two apart decides; then the channel's own order")
	for _, rule := range e.route.Ranking {
		said := strings.Join(rule.Says, "; ")
		switch {
		case rule.Abstains != "" && said != "":
			said += " (abstains " + rule.Abstains + ")"
		case rule.Abstains != "":
			said = "abstains: " + rule.Abstains
		case said == "":
			said = "the larger available first, at the moment of the decision"
		}
		fmt.Fprintf(w, "  %s\t%s\n", rule.Rule, said)
	}
}
