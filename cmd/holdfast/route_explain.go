package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/contract"
)

// bodyBytesMax is the largest body that a server takes.
const bodyBytesMax = 1 << 20

// explainFlags are the choices of `route explain`.
type explainFlags struct {
	request             contract.RouteRequest
	address             contract.Address
	latitude, longitude float64
	body                string
}

func (m *Main) routeExplainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain SKU[=QUANTITY]…",
		Short: "Say where a reservation would come from, and why not from elsewhere",
		Long: "Say where a reservation would come from at this moment, and why not from elsewhere. It is decided as\n" +
			"a reservation is, and nothing is changed. Each argument is a line: a SKU, with = and a quantity where\n" +
			"that is not 1. --body takes a whole request instead, as POST /v1/reservations does, with pins and all.\n\n" +
			"Exit status: 0 also where the reservation would be refused; the answer says so.",
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
		{&flags.request.Channel, "channel", "sales channel (default the directory's)"},
		{&flags.request.Customer, "customer", "customer, for purchase limits"},
		{&flags.address.Country, "country", "country of the address, two letters"},
		{&flags.address.Region, "region", "region of the address"},
		{&flags.address.PostalCode, "postal-code", "postal code of the address"},
		{&flags.request.Pickup, "pickup", "location that the customer collects from, instead of an address"},
		{&flags.request.Split, "split", "never, lines or units (default the channel's)"},
		{&flags.body, "body", "file with the request as JSON, - is standard input; instead of lines and the flags above"},
	} {
		c.Flags().StringVar(text.to, text.name, "", text.usage)
	}
	c.Flags().Float64Var(&flags.latitude, "latitude", 0, "latitude of the address, degrees")
	c.Flags().Float64Var(&flags.longitude, "longitude", 0, "longitude of the address, degrees")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		request, err := m.routeRequest(c, args, &flags)
		if err != nil {
			return err
		}
		server, err := m.client(c)
		if err != nil {
			return err
		}
		route, err := server.Route(c.Context(), request)
		if err != nil {
			return err
		}
		return m.print(*f, route, explanation{&route}.write)
	}
	return c
}

// routeRequest is what to ask: the body of a file, or the lines and flags.
func (m *Main) routeRequest(c *cobra.Command, args []string, flags *explainFlags) (any, error) {
	if flags.body == "" {
		return flags.lines(c, args)
	}
	if len(args) > 0 {
		return nil, usage(c, "name lines or --body, not both")
	}
	name, text, err := m.readFile(flags.body, bodyBytesMax)
	if err != nil {
		return nil, err
	}
	if !json.Valid(text) {
		return nil, usage(c, "%s is not JSON of at most %d bytes", name, bodyBytesMax)
	}
	return json.RawMessage(text), nil
}

func (f *explainFlags) lines(c *cobra.Command, args []string) (*contract.RouteRequest, error) {
	if len(args) == 0 {
		return nil, usage(c, "SKU is missing: name one for each line")
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
		return nil, usage(c, "--latitude and --longitude go together")
	}
	if c.Flags().Changed("latitude") {
		f.address.Latitude, f.address.Longitude = &f.latitude, &f.longitude
	}
	if f.address != (contract.Address{}) {
		f.request.ShipTo = &f.address
	}
	return &f.request, nil
}
