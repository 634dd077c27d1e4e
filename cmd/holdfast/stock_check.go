package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	holdfast "github.com/holdfast/holdfast/clients/go"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/stockcsv"
	"github.com/holdfast/holdfast/location"
)

// addFormat adds the flags that say how to read the file.
func (f *importFlags) addFormat(c *cobra.Command) {
	c.Flags().StringToStringVar(&f.format.Names, "map", nil,
		"`COLUMN=NAME` of columns that have another name in the file, such as sku=\"Variant SKU\",on_hand=Available")
	c.Flags().StringToStringVar(&f.format.Rename, "rename-locations", nil,
		"`NAME=LOCATION` of locations that have another name in the file, such as \"Berlin store=berlin\"")
	c.Flags().Lookup("map").DefValue, c.Flags().Lookup("rename-locations").DefValue = "", ""
	c.Flags().StringVar(&f.format.Location, "location", "", "`LOCATION` of all rows, if the file has no column for it")
	c.Flags().StringSliceVar(&f.locations, "location-columns", nil,
		"`NAMES` of columns with the units on hand at one location each, or NAME=LOCATION; an empty cell is not read")
	c.Flags().StringVar(&f.delimiter, "delimiter", ",", "`CHARACTER` that separates the columns, or tab")
	c.Flags().StringVar(&f.format.Encoding, "encoding", "",
		"`NAME` of the encoding of the file, such as windows-1252 (default UTF-8, or UTF-16 if the file begins with its mark)")
	c.Flags().BoolVar(&f.format.SkipBad, "skip-bad-rows", false, "import the rows without faults, and report the others")
	c.Flags().StringVar(&f.report, "report", "", "CSV `FILE` for the faults of skipped rows (default standard error)")
	c.Flags().BoolVar(&f.format.Strict, "strict", false, "treat warnings as faults")
	c.Flags().BoolVar(&f.allowUnknown, "allow-unknown-locations", false, "import locations that the routing directory lacks")
}

// checkFormat checks the flags of addFormat.
func (f *importFlags) checkFormat(c *cobra.Command) error {
	for column, name := range f.format.Names {
		if name == "" {
			return usage(c, "--map has no name for %s: write %s=NAME", column, column)
		}
		if !slices.Contains(stockcsv.Columns, column) {
			return usage(c, "--map names the column %q; there are %s", column, strings.Join(stockcsv.Columns, ", "))
		}
	}
	if c.Flags().Changed("location") && !location.IsIdentifier(f.format.Location) {
		return usage(c, "--location is %q, which is not an identifier: correct it, or leave it out", f.format.Location)
	}
	if f.format.Location != "" && (len(f.locations) > 0 || f.format.Names["location"] != "") {
		return usage(c, "use one of --location, --location-columns and --map location=…")
	}
	for _, column := range f.locations {
		name, at := column, column
		if i := strings.LastIndexByte(column, '='); i >= 0 {
			name, at = column[:i], column[i+1:]
		}
		if !location.IsIdentifier(at) {
			return usage(c, "--location-columns has the location %q, which is not an identifier: write NAME=LOCATION", at)
		}
		f.format.LocationColumns = append(f.format.LocationColumns, stockcsv.LocationColumn{Name: name, Location: at})
	}
	switch r, size := utf8.DecodeRuneInString(f.delimiter); {
	case f.delimiter == "tab", f.delimiter == `\t`:
		f.format.Delimiter = '\t'
	case size == 0 || size != len(f.delimiter) || strings.ContainsRune("\"\r\n\ufffd", r):
		return usage(c, "--delimiter is %q: use one character, such as ';', or tab", f.delimiter)
	case c.Flags().Changed("delimiter"):
		f.format.Delimiter = r
	}
	if f.report != "" && !f.format.SkipBad {
		return usage(c, "--report is for the rows that --skip-bad-rows skips: add that flag")
	}
	return nil
}

// checkStock checks the whole file, and reports the rows that it skips.
func (m *Main) checkStock(file *rereadable, flags importFlags) (summary stockcsv.Summary, err error) {
	from, end := m.reading(file.name, stockFile.Limit(file.name, file))
	defer end()
	if flags.report == "" {
		flags.format.Report = func(f stockcsv.Fault) error {
			_, err := fmt.Fprintln(m.Stderr, f)
			return err
		}
		return stockcsv.Check(file.name, from, flags.format)
	}
	err = writeWhole(flags.report, 0o666, func(w io.Writer) error {
		rows := csv.NewWriter(w)
		_ = rows.Write([]string{"line", "column", "field", "fault"}) // Error returns its error
		flags.format.Report = func(f stockcsv.Fault) error {
			return rows.Write([]string{strconv.Itoa(f.Line), strconv.Itoa(f.Column), f.Field, f.Message})
		}
		if summary, err = stockcsv.Check(file.name, from, flags.format); err != nil {
			return err
		}
		rows.Flush()
		return rows.Error()
	})
	return summary, err
}

// checkLocations refuses locations that the routing directory lacks, because nothing at them is for
// sale. Without a directory every location is for sale.
func checkLocations(ctx context.Context, server *holdfast.Client, locations []stockcsv.Fault) error {
	directory, err := server.Directory(ctx)
	if problem, ok := errors.AsType[*contract.Problem](err); ok && problem.Status == http.StatusNotFound {
		return nil
	}
	if other, ok := errors.AsType[*holdfast.UnexpectedError](err); ok && other.Status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the locations of the directory: %w", err)
	}
	known := map[string]bool{}
	for _, l := range directory.Locations {
		known[string(l.ID)] = true
	}
	var faults stockcsv.FaultsError
	for _, first := range locations {
		if len(known) > 0 && !known[first.Message] {
			first.Message = fmt.Sprintf("%q is not in the routing directory: correct it, add it with "+
				"`holdfast locations apply`, or use --allow-unknown-locations", first.Message)
			faults.Faults = append(faults.Faults, first)
		}
	}
	if len(faults.Faults) > 0 {
		return &faults
	}
	return nil
}
