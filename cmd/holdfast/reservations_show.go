package main

import (
	"io"

	"github.com/spf13/cobra"
)

func (m *Main) reservationsShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "show ID",
		Short:   "Print a reservation",
		Example: "  holdfast reservations show ord-1001\n  holdfast reservations show ord-1001 --format json",
		Args:    oneArg("ID"),
	}
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		server, err := m.client(c)
		if err != nil {
			return err
		}
		reservation, err := server.Reservation(c.Context(), args[0])
		if err != nil {
			return err
		}
		return m.print(*f, reservation, func(w io.Writer) { printReservation(w, reservation) })
	}
	return c
}
