package stockcsv

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// Writer writes rows. A Reader reads back the same rows.
type Writer struct{ csv *csv.Writer }

// NewWriter writes the header, with all columns, to w.
func NewWriter(w io.Writer) (*Writer, error) {
	out := &Writer{csv: csv.NewWriter(w)}
	if err := out.csv.Write(Columns); err != nil {
		return nil, fmt.Errorf("write the header: %w", err)
	}
	return out, nil
}

// Write writes one row to a buffer.
func (w *Writer) Write(r Row) error {
	err := w.csv.Write([]string{
		r.SKU, r.Location, strconv.FormatInt(r.OnHand, 10), optional(r.SafetyStock), optional(r.BackorderLimit),
	})
	if err != nil {
		return fmt.Errorf("write a row: %w", err)
	}
	return nil
}

// Flush writes the buffered rows.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

func optional(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
