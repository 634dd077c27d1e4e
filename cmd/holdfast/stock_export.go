package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	holdfast "github.com/holdfast/holdfast/clients/go"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/stockcsv"
)

func (m *Main) stockExportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: "Print stock as CSV",
		Long: "Print every level as CSV, sorted by SKU and location. `holdfast stock import` reads this format.\n\n" +
			"The export reads page by page while sales go on, so it is not a snapshot of one moment. With\n" +
			"--format json it prints one document with all numbers of each level.",
		Example: "  holdfast stock export > stock.csv\n" +
			"  holdfast stock export --location berlin -o berlin.csv",
		Args: noArgs,
	}
	var at, prefix, path string
	c.Flags().StringVar(&at, "location", "", "export only this `LOCATION`")
	c.Flags().StringVar(&prefix, "sku-prefix", "", "export only SKUs with this `PREFIX`")
	c.Flags().StringVarP(&path, "output", "o", "", "`FILE` to write (default standard output)")
	return m.calling(c, func(ctx context.Context, server *holdfast.Client, _ []string, f format) error {
		if path == string(formatJSON) || path == string(formatText) {
			return usage(c, "--output names a file: use --format %s, or name the file ./%s", path, path)
		}
		query := url.Values{"location": {at}, "sku_prefix": {prefix}, "limit": {strconv.Itoa(contract.LevelPageMax)}}
		export := func(w io.Writer) error { return exportLevels(ctx, server, query, f, w) }
		if path == "" || path == stdio {
			return export(m.Stdout)
		}
		return writeWhole(path, 0o666, export)
	})
}

func exportLevels(ctx context.Context, server *holdfast.Client, query url.Values, f format, to io.Writer) error {
	each := func(print func(contract.Level) error) error { return eachLevel(ctx, server, query, print) }
	out := bufio.NewWriter(to) // keeps the first error for Flush
	if f == formatJSON {
		fmt.Fprint(out, `{"levels": `)
		if err := printList(out, "  ", each); err != nil {
			return err
		}
		fmt.Fprintln(out, "}")
		return out.Flush()
	}
	rows, err := stockcsv.NewWriter(out)
	if err != nil {
		return err
	}
	err = each(func(l contract.Level) error {
		return rows.Write(stockcsv.Row{
			SKU: l.SKU, Location: l.Location, OnHand: l.OnHand,
			SafetyStock: &l.SafetyStock, BackorderLimit: &l.BackorderLimit,
		})
	})
	if err != nil {
		return err
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	return out.Flush()
}

// eachLevel calls print for each level, page by page.
func eachLevel(ctx context.Context, server *holdfast.Client, query url.Values, print func(contract.Level) error) error {
	for {
		page, err := server.Levels(ctx, query)
		if err != nil {
			return fmt.Errorf("the export is incomplete: %w", err)
		}
		for _, l := range page.Levels {
			if err := print(l); err != nil {
				return err
			}
		}
		switch page.NextCursor {
		case "":
			return nil
		case query.Get("cursor"):
			return errors.New("the export is incomplete: the server returned the same page twice")
		}
		query.Set("cursor", page.NextCursor)
	}
}
