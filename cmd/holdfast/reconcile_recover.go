package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/recovery"
)

// errNotRecovered means that recover has printed reservations that it left.
var errNotRecovered = errors.New("not all reservations were taken up again: see above which and why")

// recoverFlags are the flags of `reconcile recover`.
type recoverFlags struct {
	dry, anywhere bool
}

func (m *Main) reconcileRecoverCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "recover FILE",
		Short: "Take up again the reservations that a rebuild gave up",
		Long: "Take up again the reservations in a file of `holdfast reconcile rebuild --accept-older-ledger`, as far\n" +
			"as there are units. FILE may be - for standard input.\n\n" +
			"Each reservation is reserved under its own id, order and customer, with the same lines, at the same\n" +
			"locations. One that was sold is confirmed, and the units of it that had left are fulfilled again. One\n" +
			"that was released since the ledger's copy is released. Amends, unfulfills and another customer are\n" +
			"made again too. A hold whose deadline has passed is over.\n\n" +
			"Repeating the command changes nothing more. Sales go on meanwhile, so run it soon. Run it before the\n" +
			"stock is counted: the ledger's copy still counts units that have left since.\n\n" +
			"With --dry-run nothing changes. Each reservation is then tried alone, so together fewer may fit.\n\n" +
			"Exit status: 0 nothing is left; 1 some reservations could not be taken up again, and are listed with\n" +
			"the reason; 2 the command could not run.",
		Example: "  holdfast reconcile recover holdfast-given-up-20261120T060000Z.jsonl --dry-run\n" +
			"  holdfast reconcile recover holdfast-given-up-20261120T060000Z.jsonl\n" +
			"  holdfast reconcile recover --anywhere --format json holdfast-given-up-20261120T060000Z.jsonl",
		Args: oneArg("FILE"),
	}
	var flags recoverFlags
	f := addFormat(c)
	c.Flags().BoolVar(&flags.dry, "dry-run", false, "only say what would be taken up again")
	c.Flags().BoolVar(&flags.anywhere, "anywhere", false,
		"if units are short, take them wherever the routing directory allows;\nthe address is not known, so zones are not checked")
	return m.configured(c, func(c *cobra.Command, args []string, settings config.Config) error {
		return m.recover(c.Context(), settings, args[0], flags, *f)
	})
}

// recovered is the output of `reconcile recover`.
type recovered struct {
	File   string             `json:"file"`
	DryRun bool               `json:"dry_run"`
	Taken  int                `json:"taken"`
	Units  int64              `json:"taken_units"`
	Over   int                `json:"over"` // nothing was to be done
	Left   int                `json:"left"`
	Rows   []recovery.Outcome `json:"reservations"` // those that were left, or that a person must see to
}

func (r *recovered) add(list []recovery.Outcome) {
	for _, o := range list {
		switch o.Outcome {
		case recovery.Taken:
			r.Taken++
			r.Units += o.Units
		case recovery.Over:
			r.Over++
			continue
		default:
			r.Left++
		}
		if o.Reason != "" {
			r.Rows = append(r.Rows, o)
		}
	}
}

func (r *recovered) text(w io.Writer) {
	if len(r.Rows) > 0 {
		fmt.Fprintln(w, "reservation\torder\tcustomer\tstate\tunits\toutcome")
	}
	for _, o := range r.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n\t%s\n", o.ID, o.Order, o.Customer, o.State, o.Units, o.Outcome, o.Reason)
	}
	would := ""
	if r.DryRun {
		would = "would be "
	}
	fmt.Fprintf(w, "%s%s: %staken up again: %d (units: %d), nothing to do: %d, left: %d\n",
		blankLine(len(r.Rows)), r.File, would, r.Taken, r.Units, r.Over, r.Left)
}

// recover takes up the reservations of a file again, and prints those that it could not.
func (m *Main) recover(ctx context.Context, c config.Config, path string, flags recoverFlags, f format) (err error) {
	file, err := m.openTwice(ctx, path, givenUpFile)
	if err != nil {
		return err
	}
	defer file.close()
	total := 0
	err = eachLost(file, func(list []recovery.Lost) error { total += len(list); return nil })
	if err != nil {
		return err
	}
	logger := slog.New(warnings{m.logger().Handler()})
	b, err := openChecked(ctx, c, logger)
	if err != nil {
		return err
	}
	defer b.closeInto(&err)
	if err := awaitTogether(ctx, c, b); err != nil {
		return err
	}
	store, err := cache.New(b.redis.Client, cache.Options{
		Prefix: c.Redis.Prefix, Ledger: b.postgres, DurableWait: c.Confirm.Wait, AwaitDirectory: true, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore(ctx, store)) }()
	if _, err := openDirectories(ctx, c, b.postgres, store, logger); err != nil {
		return err
	}
	r := &recovery.Recoverer{
		Client: b.redis.Client, Ledger: b.postgres, Store: store, Prefix: c.Redis.Prefix,
		DryRun: flags.dry, Anywhere: flags.anywhere,
	}
	out := recovered{File: file.name, DryRun: flags.dry, Rows: []recovery.Outcome{}}
	bar := m.progress(total, "taking up again")
	err = reconcileDuring(ctx, newReconciler(c, b.redis, b.postgres, logger), func() error {
		return m.recoverAll(ctx, file, r, &out, bar)
	})
	_ = bar.Exit() // ends the line on the terminal
	if err != nil {
		return fmt.Errorf("stopped after %d of %d reservations: %w\nrun the same command again to continue",
			out.Taken+out.Over+out.Left, total, err)
	}
	if err := m.print(f, out, out.text); err != nil || out.Left == 0 {
		return err
	}
	return errNotRecovered
}

func (m *Main) recoverAll(ctx context.Context, file *rereadable, r *recovery.Recoverer, out *recovered, bar *progressbar.ProgressBar) error {
	if err := file.rewind(); err != nil {
		return err
	}
	return eachLost(file, func(list []recovery.Lost) error {
		outcomes, err := r.Recover(ctx, list)
		if err == nil {
			out.add(outcomes)
			_ = bar.Add(len(list))
		}
		return err
	})
}

// eachLost reads the reservations of a file, and calls do with recovery.PerCall of them at a time.
func eachLost(file *rereadable, do func([]recovery.Lost) error) error {
	lines := bufio.NewScanner(givenUpFile.Limit(file.name, file))
	lines.Buffer(nil, lostBytesMax)
	var list []recovery.Lost
	for n := 1; lines.Scan(); n++ {
		var l recovery.Lost
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.ID == "" || (l.Record == nil) == (l.Text == nil) {
			return fmt.Errorf("%s:%d: this is not a line of a file that `holdfast reconcile rebuild` has written", file.name, n)
		}
		if list = append(list, l); len(list) == recovery.PerCall {
			if err := do(list); err != nil {
				return err
			}
			list = nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", file.name, err)
	}
	if len(list) == 0 {
		return nil
	}
	return do(list)
}

// lostBytesMax is the longest line of a file of lost reservations.
const lostBytesMax = 4 << 20

// givenUp is what a rebuild for an older ledger gives up, and the file that has it.
type givenUp struct {
	recovery.Tally
	File string `json:"file,omitempty"` // "" if there is none
}

// keepGivenUp writes the reservations that a rebuild would give up to a new file, and to the disk. If path
// is "", it only counts them. Redis serves nothing from then on until it is rebuilt.
func keepGivenUp(ctx context.Context, c config.Config, b *backends, path string) (g *givenUp, err error) {
	g = &givenUp{File: path}
	if path == "" {
		g.Tally, err = listGivenUp(ctx, c, b, io.Discard)
		return g, err
	}
	file, err := createNew(path)
	if err != nil {
		return nil, fmt.Errorf("nothing was dropped: %w, or name another with --file", err)
	}
	to := bufio.NewWriter(file)
	g.Tally, err = listGivenUp(ctx, c, b, to)
	if err = errors.Join(err, to.Flush(), file.Sync(), file.Close()); err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, fmt.Errorf("nothing was dropped: %s is not complete: %w", path, err)
	}
	return g, nil
}

func listGivenUp(ctx context.Context, c config.Config, b *backends, to io.Writer) (recovery.Tally, error) {
	encoder := json.NewEncoder(to)
	return reconcile.ListGivenUp(ctx, b.redis.Client, c.Redis.Prefix, b.postgres, func(lost []recovery.Lost) error {
		for i := range lost {
			if err := encoder.Encode(&lost[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// givenUpName is the default name of the file, at a time.
func givenUpName(at time.Time) string {
	return "holdfast-given-up-" + at.UTC().Format("20060102T150405Z") + ".jsonl"
}

func (g *givenUp) text(w io.Writer) {
	fmt.Fprintf(w, "given up for the older ledger: sales: %d (units: %d), holds: %d (units: %d), released or expired: %d\n",
		g.Sales, g.SaleUnits, g.Holds, g.HoldUnits, g.Over)
	if g.Broken > 0 {
		fmt.Fprintf(w, "%d records could not be read\n", g.Broken)
	}
	if g.File == "" {
		fmt.Fprintln(w, "they are only in the table quarantine")
		return
	}
	fmt.Fprintf(w, "they are in %s: to take them up again, before you count the stock, run\n  holdfast reconcile recover %s\n",
		g.File, g.File)
}
