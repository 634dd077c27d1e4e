package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func (m *Main) stockShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "show SKU",
		Short:   "Print every level of a SKU",
		Example: "  holdfast stock show TEE-M\n  holdfast stock show TEE-M --format json",
		Args:    oneArg("SKU"),
	}
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		server, err := m.client(c)
		if err != nil {
			return err
		}
		stock, err := server.Stock(c.Context(), args[0])
		if err != nil {
			return err
		}
		return m.print(*f, stock, func(w io.Writer) {
			fmt.Fprintln(w, "LOCATION\tON HAND\tHELD\tCOMMITTED\tSAFETY STOCK\tBACKORDER LIMIT\tAVAILABLE")
			for _, l := range stock.Levels {
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", l.Location,
					l.OnHand, l.Held, l.Committed, l.SafetyStock, l.BackorderLimit, l.Available)
			}
		})
	}
	return c
}
