package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/holdfast/holdfast/internal/contract"
)

// shortLevelsMax is how many short levels an import lists.
const shortLevelsMax = 100

// shortLevel is a level of which more is sold than there is.
type shortLevel struct {
	SKU      string `json:"sku"`
	Location string `json:"location"`
	contract.Short
}

// shortText says which sales a level has too few units for; nothing where it has enough.
func shortText(w io.Writer, l shortLevel) {
	if l.Shortfall == 0 {
		return
	}
	fmt.Fprintf(w, "%s at %s: %d units are sold that are not there", l.SKU, l.Location, l.Shortfall)
	named, parts := int64(0), make([]string, len(l.Reservations))
	for i, r := range l.Reservations {
		parts[i] = fmt.Sprintf("%s (%d)", r.ID, r.Quantity)
		named += r.Quantity
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, ", the newest sales: %s", strings.Join(parts, ", "))
	}
	if named < l.Shortfall {
		fmt.Fprintf(w, "; all of them: holdfast reservations list --state confirmed --sku %s --location %s", l.SKU, l.Location)
	}
	fmt.Fprintln(w)
}
