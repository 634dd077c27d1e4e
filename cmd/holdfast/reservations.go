package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/contract"
)

func (m *Main) reservationsCommand() *cobra.Command {
	c := group(&cobra.Command{
		Use:     "reservations",
		Short:   "Search, read and release reservations",
		Example: "  holdfast reservations list --order 5512\n  holdfast reservations show ord-1001\n  holdfast reservations release ord-1001",
	},
		m.reservationsListCommand(),
		m.reservationsShowCommand(),
		m.reservationsReleaseCommand(),
	)
	addServer(c)
	return c
}

func printReservation(w io.Writer, r contract.Reservation) {
	fmt.Fprintf(w, "%s is %s (version %d)\n", r.ID, r.State, r.Version)
	fmt.Fprintf(w, "created %s", r.CreatedAt.Format(time.RFC3339))
	if !r.ExpiresAt.IsZero() && (r.State == "held" || r.State == "expired") {
		fmt.Fprintf(w, ", deadline %s", r.ExpiresAt.Format(time.RFC3339))
	}
	for _, named := range [][2]string{{"channel", r.Channel}, {"customer", r.Customer}, {"order", r.Order}} {
		if named[1] != "" {
			fmt.Fprintf(w, ", %s %s", named[0], named[1])
		}
	}
	fmt.Fprint(w, "\n\n")
	fmt.Fprintln(w, "LINE\tSKU\tREQUESTED\tQUANTITY\tFULFILLED\tRETURNED\tFROM")
	for _, l := range r.Lines {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%s\n",
			l.Line, l.SKU, l.Requested, l.Quantity, l.Fulfilled, l.Returned, fromText(l.From))
		for _, c := range l.Components {
			fmt.Fprintf(w, "%s\t- %s\t\t%d\t\t\t%s\n", l.Line, c.SKU, c.Quantity, fromText(c.From))
		}
	}
}

func fromText(from []contract.Allocation) string {
	parts := make([]string, len(from))
	for i, a := range from {
		parts[i] = fmt.Sprintf("%d %s", a.Quantity, a.Location)
	}
	return strings.Join(parts, ", ")
}
