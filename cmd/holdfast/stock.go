package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/client"
	"github.com/holdfast/holdfast/internal/contract"
)

func (m *Main) stockCommand() *cobra.Command {
	return addServer(group(&cobra.Command{
		Use:   "stock",
		Short: "Show and change stock",
		Example: "  holdfast stock show TEE-M\n" +
			"  holdfast stock import stock.csv --server http://10.0.0.5:8080",
	},
		m.stockShowCommand(),
		m.stockAdjustCommand(),
		m.stockImportCommand(),
		m.stockExportCommand(),
	))
}

func (m *Main) stockShowCommand() *cobra.Command {
	return m.calling(&cobra.Command{
		Use:   "show SKU",
		Short: "Print every level of a SKU",
		Long: "Print every level of a SKU: its units at each location.\n\n" +
			"available = on hand - held - committed - safety stock + backorder limit",
		Example: "  holdfast stock show TEE-M\n" +
			"  holdfast stock show TEE-M --format json",
		Args: oneArg("SKU"),
	}, func(ctx context.Context, server *client.Client, args []string, f format) error {
		stock, err := server.Stock(ctx, args[0])
		if err != nil {
			return err
		}
		return m.print(f, stock, func(w io.Writer) {
			fmt.Fprintln(w, "LOCATION\tON HAND\tHELD\tCOMMITTED\tSAFETY STOCK\tBACKORDER LIMIT\tAVAILABLE")
			for _, l := range stock.Levels {
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", l.Location,
					l.OnHand, l.Held, l.Committed, l.SafetyStock, l.BackorderLimit, l.Available)
			}
		})
	})
}

// shortLevel is a level with fewer units on hand than its sales need.
type shortLevel struct {
	SKU      string `json:"sku"`
	Location string `json:"location"`
	contract.Short
}

// printShort prints how many units a level lacks, and for which sales. It prints nothing for a
// level that has enough.
func printShort(w io.Writer, l shortLevel) {
	if l.Shortfall == 0 {
		return
	}
	fmt.Fprintf(w, "%s at %s: short by %d units", l.SKU, l.Location, l.Shortfall)
	listed, sales := int64(0), make([]string, len(l.Reservations))
	for i, r := range l.Reservations {
		sales[i] = fmt.Sprintf("%s (%d)", r.ID, r.Quantity)
		listed += r.Quantity
	}
	if len(sales) > 0 {
		fmt.Fprintf(w, "; newest sales: %s", strings.Join(sales, ", "))
	}
	if listed < l.Shortfall {
		fmt.Fprintf(w, "; list all with: holdfast reservations list --state confirmed --sku %s --location %s",
			l.SKU, l.Location)
	}
	fmt.Fprintln(w)
}
