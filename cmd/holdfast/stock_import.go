package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/stockcsv"
)

// importIDBytesMax leaves room in an identifier for the number of a chunk.
const importIDBytesMax = 112

// importFlags are the choices of `stock import`.
type importFlags struct {
	id     string
	asOf   string // RFC 3339 in UTC; "" is now
	reason string
	actor  string
}

func (m *Main) stockImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Set stock from a CSV file",
		Long: "Set stock from a CSV file: each row is a count of one level. The header names the columns, in any\n" +
			"order: sku, location and on_hand; and optionally safety_stock and backorder_limit, which stay as\n" +
			"they are where the column is absent or a row leaves it empty. - reads standard input.\n\n" +
			"The whole file is checked first. Faults are listed as FILE:LINE:COLUMN: column: what is wrong, and\n" +
			"then nothing is written. With --as-of, what was fulfilled, returned, transferred or adjusted after that\n" +
			"time is taken into account: the file may be hours old. An import is made once for each --id: one that was interrupted goes on\n" +
			"when the same command is run again, and a finished one changes nothing and says when it was made.\n" +
			"Give a new --id to set the same counts once more.",
		Example: "  holdfast stock import stock.csv\n" +
			"  holdfast stock import stock.csv --id count-2026-11-20 --actor \"$USER\"\n" +
			"  holdfast stock import erp.csv --as-of 2026-11-20T06:00:00Z\n" +
			"  holdfast stock export --server http://old:8080 | holdfast stock import -",
		Args: oneArg("FILE.csv"),
	}
	var flags importFlags
	c.Flags().StringVar(&flags.id, "id", "", "id of the import (default the SHA-256 of the file and --as-of)")
	c.Flags().StringVar(&flags.asOf, "as-of", "", "when it was counted, such as 2026-11-20T06:00:00Z (default now)")
	c.Flags().StringVar(&flags.reason, "reason", "", "why, kept with each change")
	c.Flags().StringVar(&flags.actor, "actor", "", "who, kept with each change")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(flags.id) > importIDBytesMax {
			return usage(c, "--id is %d bytes long, at most %d are allowed", len(flags.id), importIDBytesMax)
		}
		if err := flags.readAsOf(c); err != nil {
			return err
		}
		err := m.stockImport(c, args[0], flags, *f)
		var faults *stockcsv.FaultsError
		if errors.As(err, &faults) && *f == formatJSON {
			return errors.Join(err, m.print(*f, faultList{faults.Faults, faults.More}, nil))
		}
		return err
	}
	return c
}

// readAsOf checks --as-of and writes the same time always the same way, so that its import has one id.
func (f *importFlags) readAsOf(c *cobra.Command) error {
	if f.asOf == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, f.asOf)
	if err != nil {
		return usage(c, "--as-of is %q: name a time such as 2026-11-20T06:00:00Z", f.asOf)
	}
	f.asOf = at.UTC().Format(time.RFC3339Nano)
	return nil
}

// idOf is the id of an import that was given none: the hash of its file, and of --as-of where there is one.
func (f *importFlags) idOf(file string) string {
	if f.asOf == "" {
		return file
	}
	sum := sha256.Sum256([]byte(file + " " + f.asOf))
	return hex.EncodeToString(sum[:])
}

// faultList is the JSON document of a file with faults.
type faultList struct {
	Faults []stockcsv.Fault `json:"faults"`
	More   int              `json:"more"` // faults that are not listed
}

func (m *Main) stockImport(c *cobra.Command, path string, flags importFlags, f format) error {
	server, err := m.client(c)
	if err != nil {
		return err
	}
	file, err := m.openTwice(c.Context(), path)
	if err != nil {
		return err
	}
	defer file.close()
	summary, err := stockcsv.Check(file.name, file.text)
	if err != nil {
		return err
	}
	if flags.id == "" {
		flags.id = flags.idOf(summary.SHA256)
	}
	bar := m.progress(summary.Rows, "importing "+file.name)
	run := &applying{
		importFlags: flags, server: server, file: file, want: summary, bar: bar,
		result: imported{ID: flags.id, File: file.name, AsOf: flags.asOf, Rows: summary.Rows, Durable: true},
	}
	err = run.all(c.Context())
	_ = bar.Exit() // leaves the terminal's line
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted after %d of %d rows: run the same command again to go on",
			run.result.done(), summary.Rows)
	}
	if err != nil {
		return err
	}
	return m.print(f, run.result, run.result.text)
}

// imported is what `stock import` prints.
type imported struct {
	ID        string    `json:"id"`
	File      string    `json:"file"`
	AsOf      string    `json:"as_of,omitempty"` // when it was counted; absent: when it was set
	Rows      int       `json:"rows"`
	Set       int       `json:"set"`         // rows that this run set
	Before    int       `json:"already_set"` // rows that an earlier run of the same import had set
	AppliedAt time.Time `json:"applied_at"`  // when the last row was set, in this run or an earlier one
	Durable   bool      `json:"durable"`     // the ledger has all of them

	Short     []shortLevel `json:"short,omitempty"`      // levels of which more is sold than there is; at most shortLevelsMax
	MoreShort int          `json:"more_short,omitempty"` // that are not listed
}

// addShort keeps which of some levels are short.
func (i *imported) addShort(levels []contract.CountedLevel) {
	for _, l := range levels {
		switch {
		case l.Shortfall == 0:
		case len(i.Short) == shortLevelsMax:
			i.MoreShort++
		default:
			i.Short = append(i.Short, shortLevel{l.SKU, l.Location, l.Short})
		}
	}
}

func (i imported) done() int { return i.Set + i.Before }

func (i imported) text(w io.Writer) {
	switch {
	case i.Set == 0:
		fmt.Fprintf(w, "%s: nothing changed: this import of %d levels was made at %s\n",
			i.File, i.Before, i.AppliedAt.Format(time.RFC3339))
	case i.Before > 0:
		fmt.Fprintf(w, "%s: %d levels set; %d were set by an earlier run\n", i.File, i.Set, i.Before)
	default:
		fmt.Fprintf(w, "%s: %d levels set\n", i.File, i.Set)
	}
	for _, l := range i.Short {
		shortText(w, l)
	}
	if i.MoreShort > 0 {
		fmt.Fprintf(w, "and %d more levels, of which more is sold than there is\n", i.MoreShort)
	}
	fmt.Fprintf(w, "import %s\n", i.ID)
}
