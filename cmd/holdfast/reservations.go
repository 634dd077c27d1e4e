package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	holdfast "github.com/holdfast/holdfast/clients/go"
	"github.com/holdfast/holdfast/internal/contract"
)

func (m *Main) reservationsCommand() *cobra.Command {
	return addServer(group(&cobra.Command{
		Use:   "reservations",
		Short: "List, show and release reservations",
		Example: "  holdfast reservations list --order 5512\n" +
			"  holdfast reservations show ord-1001\n" +
			"  holdfast reservations release ord-1001",
	},
		m.reservationsListCommand(),
		m.reservationsShowCommand(),
		m.reservationsReleaseCommand(),
	))
}

func (m *Main) reservationsListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List reservations, newest first",
		Long: "List the reservations of the ledger that match all flags, newest first. --line, --sku and\n" +
			"--location must match the same line of a reservation.\n\n" +
			"If there are more than --limit, the last line is `more: --cursor CURSOR`; JSON has a next_cursor.",
		Example: "  holdfast reservations list --state held\n" +
			"  holdfast reservations list --order 5512 --format json\n" +
			"  holdfast reservations list --sku TEE-M --location berlin --limit 500",
		Args: noArgs,
	}
	filters := [][2]string{
		{"state", "only this `STATE`: held, confirmed, fulfilled, released or expired"},
		{"id-prefix", "only reservations whose ID begins with this `PREFIX`"},
		{"order", "only reservations of this `ORDER`"},
		{"customer", "only reservations of this `CUSTOMER`"},
		{"line", "only reservations with a line of this `ID`"},
		{"sku", "only reservations with a line of this `SKU`"},
		{"location", "only reservations with a line from this `LOCATION`"},
		{"cursor", "continue at the `CURSOR` of the previous page"},
	}
	for _, filter := range filters {
		c.Flags().String(filter[0], "", filter[1])
	}
	limit := c.Flags().Int("limit", 50, "maximum number of reservations, 1 to 500")
	return m.calling(c, func(ctx context.Context, server *holdfast.Client, _ []string, f format) error {
		query := url.Values{"limit": {strconv.Itoa(*limit)}}
		for _, filter := range filters {
			if value, _ := c.Flags().GetString(filter[0]); value != "" {
				query.Set(strings.ReplaceAll(filter[0], "-", "_"), value)
			}
		}
		page, err := server.Reservations(ctx, query)
		if err != nil {
			return err
		}
		return m.print(f, page, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tSTATE\tCREATED\tORDER\tCUSTOMER\tUNITS")
			for _, r := range page.Reservations {
				units := make([]string, len(r.Lines))
				for i, l := range r.Lines {
					units[i] = fmt.Sprintf("%d %s", l.Quantity, l.SKU)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.State,
					r.CreatedAt.Format(time.RFC3339), r.Order, r.Customer, strings.Join(units, ", "))
			}
			if page.NextCursor != "" {
				fmt.Fprintf(w, "more: --cursor %s\n", page.NextCursor)
			}
		})
	})
}

func (m *Main) reservationsShowCommand() *cobra.Command {
	return m.calling(&cobra.Command{
		Use:   "show ID",
		Short: "Print a reservation",
		Example: "  holdfast reservations show ord-1001\n" +
			"  holdfast reservations show ord-1001 --format json",
		Args: oneArg("ID"),
	}, func(ctx context.Context, server *holdfast.Client, args []string, f format) error {
		reservation, err := server.Reservation(ctx, args[0])
		if err != nil {
			return err
		}
		return m.print(f, reservation, func(w io.Writer) { printReservation(w, reservation) })
	})
}

// releasedReservation is the JSON output of `reservations release`.
type releasedReservation struct {
	contract.Reservation
	Replay bool `json:"replay"` // it was released before; nothing changed
}

func (m *Main) reservationsReleaseCommand() *cobra.Command {
	return m.calling(&cobra.Command{
		Use:   "release ID",
		Short: "Release a reservation",
		Long: "Release all units of a held reservation, or the unfulfilled units of a confirmed one. Repeating\n" +
			"the command changes nothing.",
		Example: "  holdfast reservations release ord-1001",
		Args:    oneArg("ID"),
	}, func(ctx context.Context, server *holdfast.Client, args []string, f format) error {
		released, replay, err := server.Release(ctx, args[0], holdfast.UnitsRequest{})
		if err != nil {
			return err
		}
		return m.print(f, releasedReservation{released, replay}, func(w io.Writer) {
			if replay {
				fmt.Fprintln(w, "nothing changed: the reservation was released before")
			}
			printReservation(w, released)
		})
	})
}

func printReservation(w io.Writer, r contract.Reservation) {
	fmt.Fprintf(w, "%s is %s (version %d)\n", r.ID, r.State, r.Version)
	fmt.Fprintf(w, "created %s", r.CreatedAt.Format(time.RFC3339))
	if !r.ExpiresAt.IsZero() {
		fmt.Fprintf(w, ", deadline %s", r.ExpiresAt.Format(time.RFC3339))
	}
	for _, field := range [][2]string{{"channel", r.Channel}, {"customer", r.Customer}, {"order", r.Order}} {
		if field[1] != "" {
			fmt.Fprintf(w, ", %s %s", field[0], field[1])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Metadata)) {
		fmt.Fprintf(w, "\n%s: %s", key, r.Metadata[key])
	}
	fmt.Fprint(w, "\n\n")
	fmt.Fprintln(w, "LINE\tSKU\tREQUESTED\tQUANTITY\tFULFILLED\tRETURNED\tFROM")
	for _, l := range r.Lines {
		from := allocationText(l.From)
		if l.Backordered > 0 {
			from += fmt.Sprintf(" (%d backordered)", l.Backordered)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%s\n", l.Line, l.SKU, l.Requested, l.Quantity, l.Fulfilled, l.Returned, from)
		for _, c := range l.Components {
			fmt.Fprintf(w, "%s\t- %s\t\t%d\t\t\t%s\n", l.Line, c.SKU, c.Quantity, allocationText(c.From))
		}
	}
}

func allocationText(from []contract.Allocation) string {
	parts := make([]string, len(from))
	for i, a := range from {
		parts[i] = fmt.Sprintf("%d %s", a.Quantity, a.Location)
	}
	return strings.Join(parts, ", ")
}
