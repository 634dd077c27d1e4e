package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	holdfast "github.com/holdfast/holdfast/clients/go"
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
	}, func(ctx context.Context, server *holdfast.Client, args []string, f format) error {
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

// adjusted is the output of `stock adjust`.
type adjusted struct {
	ID string `json:"id"`
	contract.ChangedLevel
	Replay bool `json:"replay"` // it was made before; nothing changed
}

func (m *Main) stockAdjustCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "adjust --sku SKU --location LOCATION --delta UNITS",
		Short: "Add units to a level or take them away",
		Long: "Change the units on hand of a level by --delta. On hand never goes below 0.\n\n" +
			"An adjustment is made once per --id: repeating the command with the same id changes nothing.",
		Example: "  holdfast stock adjust --sku TEE-M --location berlin --delta 12 --reason delivery\n" +
			"  holdfast stock adjust --sku TEE-M --location berlin --delta -1 --actor \"$USER\" --id broken-77",
		Args: noArgs,
	}
	var a contract.AdjustmentRequest
	c.Flags().StringVar(&a.SKU, "sku", "", "`SKU` of the level (required)")
	c.Flags().StringVar(&a.Location, "location", "", "`LOCATION` of the level (required)")
	c.Flags().Int64Var((*int64)(&a.Delta), "delta", 0, "`UNITS` to add; a negative number takes units away (required)")
	c.Flags().StringVar(&a.Reason, "reason", "", "`REASON` to record with the adjustment")
	c.Flags().StringVar(&a.Actor, "actor", "", "`NAME` of the person to record with the adjustment")
	c.Flags().StringVar(&a.ID, "id", "", "`ID` of the adjustment (default a random id, which is printed)")
	return m.calling(c, func(ctx context.Context, server *holdfast.Client, _ []string, f format) error {
		switch {
		case a.SKU == "":
			return missing(c, "--sku")
		case a.Location == "":
			return missing(c, "--location")
		case a.Delta == 0:
			return usage(c, "--delta is missing or 0: set it to the units to add, such as 12 or -1")
		case a.ID == "":
			a.ID = "adjust-" + rand.Text()
		}
		change, replay, err := server.Adjust(ctx, a)
		if err != nil {
			return repeatable(err, a.ID)
		}
		return m.print(f, adjusted{a.ID, change, replay}, func(w io.Writer) {
			if replay {
				fmt.Fprintf(w, "nothing changed: adjustment %s was made before\n", a.ID)
			} else {
				fmt.Fprintf(w, "adjustment %s\n", a.ID)
			}
			fmt.Fprintf(w, "%s at %s: on hand %d, available %d\n",
				change.SKU, change.Location, change.OnHand, change.Available)
			printShort(w, shortLevel{change.SKU, change.Location, change.Short})
		})
	})
}

// repeatable adds to err how to repeat the call, unless the server refused it.
func repeatable(err error, id string) error {
	if problem, ok := errors.AsType[*contract.Problem](err); ok && problem.Refused() {
		return err
	}
	return fmt.Errorf("%w\nthe outcome is unknown: repeat the command with --id %s, "+
		"which makes the adjustment only once", err, id)
}
