package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// age is how old something is: "90d", or any duration. It is a flag's value.
type age time.Duration

const day = 24 * time.Hour

func (a *age) String() string {
	if d := time.Duration(*a); d%day != 0 {
		return d.String()
	}
	return strconv.Itoa(int(time.Duration(*a)/day)) + "d"
}

// Type is what --help calls the value.
func (a *age) Type() string { return "AGE" }

// Set reads the flag.
func (a *age) Set(text string) error {
	if days, found := strings.CutSuffix(text, "d"); found {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100*365 {
			*a = age(time.Duration(n) * day)
			return nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("must be days or a duration, such as 90d or 36h")
	}
	*a = age(d)
	return nil
}

// pruneFlags are the choices of `reconcile prune`.
type pruneFlags struct {
	olderThan age
	archive   string
	dry       bool
}

func (m *Main) reconcilePruneCommand() *cobra.Command {
	flags := pruneFlags{olderThan: age(365 * day)}
	c := &cobra.Command{
		Use:   "prune",
		Short: "Archive old movements and resolved reservations",
		Long: "Archive what is old: reservations that were released, expired or wholly fulfilled, with their lines,\n" +
			"and movements. Each row goes to a file as a line of JSON, gzipped, and is there before it is gone.\n\n" +
			"Levels stay as they are, and what is left of the movements still adds up to them. An id that was used\n" +
			"is never used again. What a purchase limit still counts stays, and what Redis was not told to forget\n" +
			"yet. It runs beside everything else, and may be stopped and run again at any moment.",
		Example: "  holdfast reconcile prune --dry-run\n" +
			"  holdfast reconcile prune --older-than 90d --archive /var/lib/holdfast/2026-11.jsonl.gz",
		Args: noArgs,
	}
	config.AddFlags(c.Flags())
	f := addFormat(c)
	c.Flags().Var(&flags.olderThan, "older-than", "how old what is archived is at least")
	c.Flags().StringVar(&flags.archive, "archive", "", "file to write, which must not be there (required, but for --dry-run)")
	c.Flags().BoolVar(&flags.dry, "dry-run", false, "only count what would be archived")
	c.RunE = func(c *cobra.Command, _ []string) error {
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		switch least := max(day, 2*settings.Reservation.Retention); {
		case flags.archive == "" && !flags.dry:
			return usage(c, "--archive is missing: name a file, or --dry-run")
		case time.Duration(flags.olderThan) < least:
			return usage(c, "--older-than is %s, must be at least %s: a day, and twice reservation.retention", flags.olderThan.String(), least)
		}
		return m.prune(c.Context(), settings, flags, *f)
	}
	return c
}

// pruned is what `reconcile prune` prints as JSON.
type pruned struct {
	postgres.Pruned
	Before  time.Time `json:"before"`
	Archive string    `json:"archive,omitempty"` // "" where nothing was written
	DryRun  bool      `json:"dry_run"`
}

func (m *Main) prune(ctx context.Context, c config.Config, flags pruneFlags, f format) (err error) {
	db, err := openPostgres(c)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.CheckSchema(ctx); err != nil {
		return err
	}
	out := pruned{Before: time.Now().UTC().Add(-time.Duration(flags.olderThan)).Truncate(time.Second), DryRun: flags.dry}
	options := postgres.PruneOptions{Before: out.Before}
	if !flags.dry {
		archive := &archiveFile{path: flags.archive}
		defer func() { err = errors.Join(err, archive.Close()) }()
		bar := m.progress(1, "archiving")
		options.Archive, options.Progress = archive, func(done, total int64) {
			bar.ChangeMax64(max(1, total))
			_ = bar.Set64(done)
		}
		defer func() { _ = bar.Finish() }()
	}
	if out.Pruned, err = db.Prune(ctx, options); err != nil {
		return err
	}
	if !flags.dry && out.Reservations+out.Movements > 0 {
		out.Archive = flags.archive
	}
	return m.print(f, out, func(w io.Writer) {
		what := fmt.Sprintf("%d reservations and %d movements from before %s", out.Reservations, out.Movements, out.Before.Format(time.RFC3339))
		switch {
		case flags.dry:
			fmt.Fprintf(w, "%s would be archived\n", what)
		case out.Archive == "":
			fmt.Fprintf(w, "nothing to archive: there is nothing from before %s\n", out.Before.Format(time.RFC3339))
		default:
			fmt.Fprintf(w, "%s are in %s, and no longer in the ledger\n", what, out.Archive)
		}
	})
}
