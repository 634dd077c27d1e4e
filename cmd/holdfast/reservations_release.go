package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/contract"
)

// releasedReservation is what `reservations release` prints as JSON.
type releasedReservation struct {
	contract.Reservation
	Replay bool `json:"replay"` // it was released before; nothing changed
}

func (m *Main) reservationsReleaseCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "release ID",
		Short: "Give back all units of a reservation",
		Long: "Give back all units of a reservation that is held, or what is not yet fulfilled of one that is\n" +
			"confirmed. Repeating it changes nothing.",
		Example: "  holdfast reservations release ord-1001",
		Args:    oneArg("ID"),
	}
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		server, err := m.client(c)
		if err != nil {
			return err
		}
		released, replay, err := server.Release(c.Context(), args[0])
		if err != nil {
			return err
		}
		return m.print(*f, releasedReservation{released, replay}, func(w io.Writer) {
			if replay {
				fmt.Fprintln(w, "nothing changed: it was released before")
			}
			printReservation(w, released)
		})
	}
	return c
}
