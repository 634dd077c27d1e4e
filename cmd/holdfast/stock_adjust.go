package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/contract"
)

// adjusted is what `stock adjust` prints.
type adjusted struct {
	ID string `json:"id"`
	contract.ChangedLevel
	Replay bool `json:"replay"` // it was made before; nothing changed
}

func (m *Main) stockAdjustCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "adjust --sku SKU --location LOCATION --delta UNITS",
		Short: "Change on hand of a level by a number of units",
		Long: "Change on hand of a level by a number of units, up or down. On hand never goes below 0.\n\n" +
			"An adjustment is made once for each --id: repeating the command with the same one changes nothing.",
		Example: "  holdfast stock adjust --sku TEE-M --location berlin --delta 12 --reason delivery\n" +
			"  holdfast stock adjust --sku TEE-M --location berlin --delta -1 --actor \"$USER\" --id broken-77",
		Args: noArgs,
	}
	var a contract.AdjustmentRequest
	c.Flags().StringVar(&a.SKU, "sku", "", "SKU of the level (required)")
	c.Flags().StringVar(&a.Location, "location", "", "location of the level (required)")
	c.Flags().Int64Var((*int64)(&a.Delta), "delta", 0, "units to add, or to take where it is below 0 (required)")
	c.Flags().StringVar(&a.Reason, "reason", "", "why, kept with the adjustment")
	c.Flags().StringVar(&a.Actor, "actor", "", "who, kept with the adjustment")
	c.Flags().StringVar(&a.ID, "id", "", "id of the adjustment (default a random one, which is printed)")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return m.stockAdjust(c, a, *f) }
	return c
}

func (m *Main) stockAdjust(c *cobra.Command, a contract.AdjustmentRequest, f format) error {
	switch {
	case a.SKU == "":
		return usage(c, "--sku is missing")
	case a.Location == "":
		return usage(c, "--location is missing")
	case a.Delta == 0:
		return usage(c, "--delta is missing or 0: name the units to add, such as 12 or -1")
	}
	server, err := m.client(c)
	if err != nil {
		return err
	}
	if a.ID == "" {
		a.ID = "adjust-" + rand.Text()
	}
	change, replay, err := server.Adjust(c.Context(), a)
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
		shortText(w, shortLevel{change.SKU, change.Location, change.Short})
	})
}

// repeatable tells how to repeat a call that may have been made, though it was not answered.
func repeatable(err error, id string) error {
	var problem *contract.Problem
	if errors.As(err, &problem) && problem.Refused() {
		return err
	}
	return fmt.Errorf("%w\nthe outcome is unknown: repeat the command with --id %s, "+
		"which makes the adjustment once", err, id)
}
