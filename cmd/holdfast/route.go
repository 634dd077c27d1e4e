package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	holdfast "github.com/holdfast/holdfast/clients/go"
	"github.com/holdfast/holdfast/internal/contract"
)

func (m *Main) routeCommand() *cobra.Command {
	return addServer(group(&cobra.Command{
		Use:     "route",
		Short:   "Explain which location serves an order",
		Example: "  holdfast route explain --channel web --country DE TEE-M=2",
	}, m.routeExplainCommand()))
}

// explainFlags are the flags of `route explain`.
type explainFlags struct {
	request             contract.RouteRequest
	address             contract.Address
	latitude, longitude float64
	body                string
}

func (m *Main) routeExplainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain SKU[=QUANTITY]…",
		Short: "Show which locations would serve a reservation, and why not the others",
		Long: "Show which locations would serve a reservation now, and why not the others. The server decides as\n" +
			"it does for a reservation, but changes nothing. Each argument is a line: a SKU, and its quantity\n" +
			"unless it is 1. --body sends a whole request instead, in the format of POST /v1/reservations.\n\n" +
			"Exit status: 0 if the server answered, even if it would refuse the reservation; 1 the server\n" +
			"refused the request; 2 the command could not run.",
		Example: "  holdfast route explain TEE-M\n" +
			"  holdfast route explain --channel web --country DE --postal-code 10115 TEE-M=2 CAP\n" +
			"  holdfast route explain --pickup store-7 TEE-M --format json\n" +
			"  holdfast route explain --body request.json",
	}
	var flags explainFlags
	for _, text := range []struct {
		to          *string
		name, usage string
	}{
		{&flags.request.Channel, "channel", "sales channel (default the default channel of the directory)"},
		{&flags.request.Customer, "customer", "customer, for campaigns"},
		{&flags.address.Country, "country", "country of the address, two letters"},
		{&flags.address.Region, "region", "region of the address"},
		{&flags.address.PostalCode, "postal-code", "postal code of the address"},
		{&flags.request.Pickup, "pickup", "location where the customer collects the order, instead of an address"},
		{&flags.request.Split, "split", "never, lines or units (default the split of the channel)"},
		{&flags.body, "body", "`FILE` with the whole request as JSON, or - for standard input; replaces the SKUs and the other flags of the request"},
	} {
		c.Flags().StringVar(text.to, text.name, "", text.usage)
	}
	c.Flags().StringSliceVar(&flags.request.Prefer, "prefer", nil, "locations to try before the others, in this order: `A,B`")
	c.Flags().Float64Var(&flags.latitude, "latitude", 0, "latitude of the address, in degrees")
	c.Flags().Float64Var(&flags.longitude, "longitude", 0, "longitude of the address, in degrees")
	return m.calling(c, func(ctx context.Context, server *holdfast.Client, args []string, f format) error {
		request, err := m.routeRequest(c, args, &flags)
		if err != nil {
			return err
		}
		route, err := server.Route(ctx, request)
		if err != nil {
			return err
		}
		return m.print(f, route, explanation{&route}.write)
	})
}

// routeRequest returns the request of --body, or the one that args and flags make.
func (m *Main) routeRequest(c *cobra.Command, args []string, flags *explainFlags) (any, error) {
	if flags.body == "" {
		return flags.fromArgs(c, args)
	}
	if len(args) > 0 {
		return nil, usage(c, "use either SKUs or --body, not both")
	}
	name, text, err := m.readFile(flags.body, requestFile)
	if err != nil {
		return nil, err
	}
	if !json.Valid(text) {
		return nil, usage(c, "%s is not JSON", name)
	}
	return json.RawMessage(text), nil
}

func (f *explainFlags) fromArgs(c *cobra.Command, args []string) (*contract.RouteRequest, error) {
	if len(args) == 0 {
		return nil, usage(c, "SKU is missing: name one SKU per line of the order")
	}
	for i, arg := range args {
		line := contract.LineRequest{Line: strconv.Itoa(i + 1), SKU: arg, Quantity: 1}
		if at := strings.LastIndexByte(arg, '='); at > 0 {
			if n, err := strconv.ParseInt(arg[at+1:], 10, 64); err == nil {
				line.SKU, line.Quantity = arg[:at], contract.Whole(n)
			}
		}
		f.request.Lines = append(f.request.Lines, line)
	}
	if c.Flags().Changed("latitude") != c.Flags().Changed("longitude") {
		return nil, usage(c, "--latitude and --longitude must be given together")
	}
	if c.Flags().Changed("latitude") {
		f.address.Latitude, f.address.Longitude = &f.latitude, &f.longitude
	}
	if f.address != (contract.Address{}) {
		f.request.ShipTo = &f.address
	}
	return &f.request, nil
}

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
		return "the line names other locations"
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
