package main

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/contract"
)

// listDefault is how many reservations are listed at most, if --limit does not say.
const listDefault = 50

func (m *Main) reservationsListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "Search reservations, the newest first",
		Long: "Search reservations, the newest first, in the ledger. Conditions on --line, --sku and --location must\n" +
			"hold for one line. `more` at the end, or a next_cursor as JSON, says that there are more than --limit.",
		Example: "  holdfast reservations list --state held\n" +
			"  holdfast reservations list --order 5512 --format json\n" +
			"  holdfast reservations list --sku TEE-M --location berlin --limit 500",
		Args: noArgs,
	}
	for _, flag := range [][2]string{
		{"state", "only held, confirmed, fulfilled, released or expired"}, {"order", "only of this order"},
		{"customer", "only of this customer"}, {"line", "only with a line of this id"}, {"sku", "only with a line of this SKU"},
		{"location", "only with a line that this location serves"}, {"cursor", "go on behind the page before"},
	} {
		c.Flags().String(flag[0], "", flag[1])
	}
	c.Flags().Int("limit", listDefault, "reservations at most, 1 to 500")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		server, err := m.client(c)
		if err != nil {
			return err
		}
		query := url.Values{}
		for _, name := range []string{"state", "order", "customer", "line", "sku", "location", "cursor"} {
			if value, _ := c.Flags().GetString(name); value != "" {
				query.Set(name, value)
			}
		}
		limit, _ := c.Flags().GetInt("limit")
		query.Set("limit", strconv.Itoa(limit))
		found, err := server.Reservations(c.Context(), query)
		if err != nil {
			return err
		}
		return m.print(*f, found, func(w io.Writer) { printReservations(w, found) })
	}
	return c
}

func printReservations(w io.Writer, page contract.ReservationPage) {
	fmt.Fprintln(w, "ID\tSTATE\tCREATED\tORDER\tCUSTOMER\tUNITS")
	for _, r := range page.Reservations {
		units := make([]string, len(r.Lines))
		for i, l := range r.Lines {
			units[i] = fmt.Sprintf("%d %s", l.Quantity, l.SKU)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.State, r.CreatedAt.Format(time.RFC3339), r.Order, r.Customer, strings.Join(units, ", "))
	}
	if page.NextCursor != "" {
		fmt.Fprintf(w, "more: --cursor %s\n", page.NextCursor)
	}
}
