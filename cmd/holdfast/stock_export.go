package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/client"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/stockcsv"
)

func (m *Main) stockExportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: "Print stock as CSV, as import reads it",
		Long: "Print every level as CSV, in order of SKU and location, as `holdfast stock import` reads it.\n\n" +
			"Levels are read page by page while sales go on: it is not a picture of one moment. With\n" +
			"--format json it is one document with all numbers of each level.",
		Example: "  holdfast stock export > stock.csv\n" +
			"  holdfast stock export --location berlin -o berlin.csv",
		Args: noArgs,
	}
	var filter client.LevelFilter
	var path string
	c.Flags().StringVar(&filter.Location, "location", "", "only this location")
	c.Flags().StringVar(&filter.SKUPrefix, "sku-prefix", "", "only SKUs that begin so")
	c.Flags().StringVarP(&path, "output", "o", "", "file to write (default standard output)")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		server, err := m.client(c)
		if err != nil {
			return err
		}
		export := func(w io.Writer) error { return exportLevels(c.Context(), server, filter, *f, w) }
		if path == "" || path == "-" {
			return export(m.Stdout)
		}
		return writeWhole(path, export)
	}
	return c
}

// writeWhole writes a file whole or not at all: an export that breaks off leaves what was there. A
// device or a pipe is written as it is, of a link what it names.
func writeWhole(path string, write func(io.Writer) error) error {
	if there, err := filepath.EvalSymlinks(path); err == nil {
		path = there
	}
	target := path + "." + rand.Text() + ".partial" // two at once write each its own
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		target = path
	}
	file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666) // less what umask takes
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Close())
	switch {
	case target == path:
		return err
	case err != nil:
		return errors.Join(err, os.Remove(target))
	}
	return os.Rename(target, path)
}

func exportLevels(
	ctx context.Context, server *client.Client, filter client.LevelFilter, f format, to io.Writer,
) error {
	buffered := bufio.NewWriter(to)
	out, err := newLevelWriter(f, buffered)
	if err != nil {
		return err
	}
	filter.Limit = contract.LevelPageMax
	for {
		page, err := server.Levels(ctx, filter)
		if err != nil {
			return fmt.Errorf("the export is not complete: %w", err)
		}
		for _, l := range page.Levels {
			if err := out.write(l); err != nil {
				return err
			}
		}
		if page.NextCursor == "" {
			break
		}
		if page.NextCursor == filter.Cursor {
			return errors.New("the export is not complete: the server answers the same page again")
		}
		filter.Cursor = page.NextCursor
	}
	if err := out.end(); err != nil {
		return err
	}
	return printed(buffered.Flush())
}

// levelWriter writes levels one by one, so that none has to wait in memory.
type levelWriter interface {
	write(contract.Level) error
	end() error
}

func newLevelWriter(f format, w io.Writer) (levelWriter, error) {
	if f == formatJSON {
		_, err := io.WriteString(w, `{"levels": [`)
		return &jsonLevels{w: w}, printed(err)
	}
	rows, err := stockcsv.NewWriter(w)
	return csvLevels{rows}, err
}

type csvLevels struct{ rows *stockcsv.Writer }

func (c csvLevels) write(l contract.Level) error {
	return c.rows.Write(stockcsv.Row{
		SKU: l.SKU, Location: l.Location, OnHand: l.OnHand,
		SafetyStock: &l.SafetyStock, BackorderLimit: &l.BackorderLimit,
	})
}

func (c csvLevels) end() error { return printed(c.rows.Flush()) }

type jsonLevels struct {
	w         io.Writer
	separator string
}

func (j *jsonLevels) write(l contract.Level) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(j.w, "%s\n  %s", j.separator, text)
	j.separator = ","
	return printed(err)
}

func (j *jsonLevels) end() error {
	_, err := io.WriteString(j.w, "\n]}\n")
	return printed(err)
}
