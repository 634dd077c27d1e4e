package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	holdfast "github.com/holdfast/holdfast/clients/go"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/stockcsv"
)

const (
	importIDBytesMax = 112 // leaves room in an identifier for the number of a chunk
	shortLevelsMax   = 100 // short levels that an import lists
	keptLevelsMax    = 100 // levels with a later count that an import lists
)

// importFlags are the flags of `stock import`.
type importFlags struct {
	id     string
	asOf   string // RFC 3339 in UTC; "" means now
	reason string
	actor  string

	format       stockcsv.Options
	locations    []string // of --location-columns
	delimiter    string
	report       string // file for the faults of skipped rows; "" means standard error
	allowUnknown bool   // locations that the directory lacks
}

func (m *Main) stockImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Set stock from a CSV file",
		Long: "Set stock from a CSV file, or from standard input if FILE.csv is -. Each row is a count of one\n" +
			"level. The header names the columns in any order: sku, location and on_hand are required;\n" +
			"safety_stock and backorder_limit are optional. An absent column or an empty cell keeps the value.\n\n" +
			"The command first checks the whole file. If it has faults, or a location that the routing directory\n" +
			"lacks, the command lists them as FILE:LINE:COLUMN: column: fault, and changes nothing. A name that\n" +
			"looks like another one is a warning.\n\n" +
			"With --map, --location or --location-columns the command reads the exports of other systems, and\n" +
			"ignores their other columns. The page stock-files.md of the documentation has six recipes.\n\n" +
			"With --as-of the file may be hours old: the counts are corrected by what was fulfilled, returned,\n" +
			"transferred or adjusted after that time. A level that was counted later keeps its on hand, and is listed.\n\n" +
			"An import is made once per --id. Run the same command again to continue an import that was\n" +
			"interrupted. Repeating a finished import changes nothing and prints when it was made. Give a new\n" +
			"--id to set the same counts again.\n\n" +
			"Exit status: 0 all rows are set, or all without faults with --skip-bad-rows; 1 the file has faults,\n" +
			"or the server refused; 2 wrong usage, or the command could not run.",
		Example: "  holdfast stock import stock.csv\n" +
			"  holdfast stock import stock.csv --id count-2026-11-20 --actor \"$USER\"\n" +
			"  holdfast stock import erp.csv --as-of 2026-11-20T06:00:00Z\n" +
			"  holdfast stock import shop.csv --map sku=\"Variant SKU\",on_hand=Available --location berlin\n" +
			"  holdfast stock import wide.csv --location-columns \"Berlin store=berlin,lyon\" --skip-bad-rows\n" +
			"  holdfast stock export --server http://old:8080 | holdfast stock import -",
		Args: oneArg("FILE.csv"),
	}
	var flags importFlags
	c.Flags().StringVar(&flags.id, "id", "", "`ID` of the import (default a hash of the file and the flags that change its meaning)")
	c.Flags().StringVar(&flags.asOf, "as-of", "", "`TIME` when the stock was counted, such as 2026-11-20T06:00:00Z (default now)")
	c.Flags().StringVar(&flags.reason, "reason", "", "`REASON` to record with each change")
	c.Flags().StringVar(&flags.actor, "actor", "", "`NAME` of the person to record with each change")
	flags.addFormat(c)
	return m.calling(c, func(ctx context.Context, server *holdfast.Client, args []string, f format) error {
		if err := flags.checkFormat(c); err != nil {
			return err
		}
		if len(flags.id) > importIDBytesMax {
			return usage(c, "--id has %d bytes: use at most %d", len(flags.id), importIDBytesMax)
		}
		if err := flags.normalizeAsOf(c); err != nil {
			return err
		}
		result, err := m.stockImport(ctx, server, args[0], flags, f)
		if faults, ok := errors.AsType[*stockcsv.FaultsError](err); ok && f == formatJSON {
			return errors.Join(err, m.print(f, faults, nil))
		}
		if err != nil {
			return err
		}
		return m.print(f, result, result.text)
	})
}

// normalizeAsOf checks --as-of. It formats equal times alike, so that their imports get the same
// id.
func (f *importFlags) normalizeAsOf(c *cobra.Command) error {
	if f.asOf == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, f.asOf)
	if err != nil {
		return usage(c, "--as-of is %q: use a time such as 2026-11-20T06:00:00Z", f.asOf)
	}
	f.asOf = at.UTC().Format(time.RFC3339Nano)
	return nil
}

// defaultID returns the id of an import without --id: the hash of its file, and of the flags that
// change its meaning, if there are any.
func (f *importFlags) defaultID(file string) string {
	text := file
	if f.asOf != "" {
		text += " " + f.asOf
	}
	if !reflect.DeepEqual(f.format, stockcsv.Options{}) {
		text += fmt.Sprintf(" %v %v %q %q %q %q %t", f.format.Names, f.format.Rename, f.format.Location, f.format.LocationColumns,
			f.format.Delimiter, f.format.Encoding, f.format.SkipBad)
	}
	if text == file {
		return file
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (m *Main) stockImport(ctx context.Context, server *holdfast.Client, path string, flags importFlags, f format) (imported, error) {
	file, err := m.openTwice(ctx, path, stockFile)
	if err != nil {
		return imported{}, err
	}
	defer file.close()
	summary, err := m.checkStock(file, flags)
	if err != nil {
		return imported{}, err
	}
	if !flags.allowUnknown {
		if err := checkLocations(ctx, server, summary.Locations); err != nil {
			return imported{}, err
		}
	}
	if flags.id == "" {
		flags.id = flags.defaultID(summary.SHA256)
	}
	if f == formatText && len(summary.Warnings.Faults) > 0 {
		fmt.Fprintln(m.Stderr, summary.Warnings.Error())
	}
	bar := m.progress(summary.Rows, "importing "+file.name)
	run := &importRun{
		importFlags: flags, server: server, file: file, want: summary, bar: bar,
		result: imported{
			ID: flags.id, File: file.name, AsOf: flags.asOf, Rows: summary.Rows, Durable: true,
			Skipped: summary.Skipped, Warnings: summary.Warnings.Faults, MoreWarnings: summary.Warnings.More,
		},
	}
	err = run.sendAll(ctx)
	_ = bar.Exit() // ends the line on the terminal
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("interrupted after %d of %d rows: run the same command again to continue",
			run.result.done(), summary.Rows)
	}
	return run.result, err
}

// imported is the output of `stock import`.
type imported struct {
	ID        string    `json:"id"`
	File      string    `json:"file"`
	AsOf      string    `json:"as_of,omitempty"` // when the stock was counted; absent means now
	Rows      int       `json:"rows"`
	Set       int       `json:"set"`         // rows that this run set
	Before    int       `json:"already_set"` // rows that an earlier run of the same import set
	AppliedAt time.Time `json:"applied_at"`  // when the last row was set, in this run or an earlier one
	Durable   bool      `json:"durable"`     // the ledger has all rows

	Skipped      int              `json:"skipped,omitempty"` // rows with faults
	Warnings     []stockcsv.Fault `json:"warnings,omitempty"`
	MoreWarnings int              `json:"more_warnings,omitempty"` // warnings that are not listed

	Kept     []keptLevel `json:"kept,omitempty"`      // levels with a later count, at most keptLevelsMax
	MoreKept int         `json:"more_kept,omitempty"` // such levels that are not listed

	Short     []shortLevel `json:"short,omitempty"`      // at most shortLevelsMax
	MoreShort int          `json:"more_short,omitempty"` // short levels that are not listed
}

// keptLevel is a level that keeps its on hand, because a count of a later moment is in force.
type keptLevel struct {
	SKU      string                `json:"sku"`
	Location string                `json:"location"`
	InForce  contract.CountInForce `json:"in_force"`
}

// addKept adds those of levels that keep their on hand.
func (i *imported) addKept(levels []contract.CountedLevel) {
	for _, l := range levels {
		switch {
		case l.InForce == nil:
		case len(i.Kept) == keptLevelsMax:
			i.MoreKept++
		default:
			i.Kept = append(i.Kept, keptLevel{l.SKU, l.Location, *l.InForce})
		}
	}
}

// addShort adds those of levels that are short.
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

func (i imported) done() int { return i.Set + i.Before + i.kept() }

func (i imported) kept() int { return len(i.Kept) + i.MoreKept }

func (i imported) text(w io.Writer) {
	switch {
	case i.Set == 0 && i.Before > 0:
		fmt.Fprintf(w, "%s: nothing changed: this import of %d levels was made at %s\n",
			i.File, i.Before, i.AppliedAt.Format(time.RFC3339))
	case i.Before > 0:
		fmt.Fprintf(w, "%s: %d levels set; %d were set by an earlier run\n", i.File, i.Set, i.Before)
	default:
		fmt.Fprintf(w, "%s: %d levels set\n", i.File, i.Set)
	}
	if i.Skipped > 0 {
		fmt.Fprintf(w, "%d rows with faults were skipped\n", i.Skipped)
	}
	for _, l := range i.Kept {
		fmt.Fprintf(w, "%s at %s keeps its on hand: the count %s of %s is in force\n",
			l.SKU, l.Location, l.InForce.ID, l.InForce.AsOf.Format(time.RFC3339))
	}
	if i.MoreKept > 0 {
		fmt.Fprintf(w, "%d more levels keep their on hand\n", i.MoreKept)
	}
	for _, l := range i.Short {
		printShort(w, l)
	}
	if i.MoreShort > 0 {
		fmt.Fprintf(w, "%d more levels are short\n", i.MoreShort)
	}
	fmt.Fprintf(w, "import %s\n", i.ID)
}

// importRun sends a checked file in chunks. The id of a chunk is the id of the import and the
// number of the chunk, so that sending a chunk again changes nothing.
type importRun struct {
	importFlags
	server *holdfast.Client
	file   *rereadable
	want   stockcsv.Summary // from the check
	bar    *progressbar.ProgressBar
	result imported

	chunk  int // number of the next chunk, from 1
	counts []contract.Count
	lines  [2]int // first and last line of counts
}

// sendAll reads the file again and sends it. It returns an error if the file has changed since
// the check. It may notice that only at the end, because it does not hold the file in memory.
func (r *importRun) sendAll(ctx context.Context) error {
	if err := r.file.rewind(); err != nil {
		return err
	}
	reader, err := stockcsv.NewReader(r.file.name, r.file, r.format)
	if err != nil {
		return err
	}
	r.chunk = 1
	for i := 0; ; i++ {
		row, faults, err := reader.Read()
		switch {
		case err == nil && r.want.Bad(i):
			continue
		case errors.Is(err, io.EOF) && reader.Sum() == r.want.SHA256:
			return r.send(ctx)
		case errors.Is(err, io.EOF), len(faults) > 0:
			return fmt.Errorf("%s changed during the import, after %d rows were set: run the command again",
				r.file.name, r.result.done())
		case err != nil:
			return err
		}
		if len(r.counts) == contract.CountsMax {
			if err := r.send(ctx); err != nil {
				return err
			}
		}
		r.add(row)
	}
}

func (r *importRun) add(row stockcsv.Row) {
	if len(r.counts) == 0 {
		r.lines[0] = row.Line
	}
	r.lines[1] = row.Line
	r.counts = append(r.counts, contract.Count{
		SKU: row.SKU, Location: row.Location, OnHand: (*contract.Whole)(&row.OnHand),
		SafetyStock: (*contract.Whole)(row.SafetyStock), BackorderLimit: (*contract.Whole)(row.BackorderLimit),
	})
}

// send sends the chunk in counts.
func (r *importRun) send(ctx context.Context) error {
	request := contract.CountsRequest{
		ID: fmt.Sprintf("%s:%d", r.id, r.chunk), Reason: r.reason, Actor: r.actor, Counts: r.counts,
	}
	request.AllowUnknownLocations = r.allowUnknown
	if r.asOf != "" {
		request.AsOf = &r.asOf
	}
	answer, replay, err := r.server.Count(ctx, request)
	if err != nil {
		return r.stopped(err)
	}
	kept := r.result.kept()
	r.result.addKept(answer.Levels)
	rows := len(r.counts) - (r.result.kept() - kept)
	if replay {
		r.result.Before += rows
	} else {
		r.result.Set += rows
	}
	if r.result.AppliedAt.Before(answer.AppliedAt.Time) {
		r.result.AppliedAt = answer.AppliedAt.Time
	}
	r.result.Durable = r.result.Durable && answer.Durable
	r.result.addShort(answer.Levels)
	_ = r.bar.Add(len(r.counts))
	r.chunk++
	r.counts = r.counts[:0]
	return nil
}

// stopped adds to err where the import stopped and how to continue.
func (r *importRun) stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	where := fmt.Sprintf("%s: lines %d to %d", r.file.name, r.lines[0], r.lines[1])
	problem, _ := errors.AsType[*contract.Problem](err)
	if problem != nil && problem.Code == "id_conflict" {
		return fmt.Errorf("%s: %w\nthe import %s was made before with other rows, --as-of, --reason or --actor: "+
			"use another --id", where, err, r.id)
	}
	next := "run the same command again to continue"
	if problem != nil && problem.Code == "invalid_request" {
		next = "correct the file or the flags, then run the command again"
	}
	return fmt.Errorf("%s: %w\n%d of %d rows are set: %s", where, err, r.result.done(), r.want.Rows, next)
}
