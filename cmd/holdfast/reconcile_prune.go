package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// age is a duration as a flag, in days such as 90d or as time.ParseDuration reads it.
type age time.Duration

const day = 24 * time.Hour

func (a *age) String() string {
	if d := time.Duration(*a); d%day != 0 {
		return d.String()
	}
	return strconv.Itoa(int(time.Duration(*a)/day)) + "d"
}

// Type returns the name of the value in --help.
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

// pruneFlags are the flags of `reconcile prune`.
type pruneFlags struct {
	olderThan age
	archive   string
	dry       bool
}

func (m *Main) reconcilePruneCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "prune",
		Short: "Archive old movements and resolved reservations",
		Long: "Move old rows from the ledger to an archive: movements, and reservations that were released, expired\n" +
			"or completely fulfilled, with their lines. The archive is a gzip file with one JSON document per\n" +
			"line. A row is in the file before it leaves the ledger.\n\n" +
			"Levels do not change, and the remaining movements still add up to them. A used id is never used\n" +
			"again. Reservations stay if a purchase limit still counts them, or if Redis may still have them.\n" +
			"You can run the command beside everything else, stop it, and run it again.",
		Example: "  holdfast reconcile prune --dry-run\n" +
			"  holdfast reconcile prune --older-than 90d --archive /var/lib/holdfast/2026-11.jsonl.gz",
		Args: noArgs,
	}
	flags := pruneFlags{olderThan: age(365 * day)}
	f := addFormat(c)
	c.Flags().Var(&flags.olderThan, "older-than", "minimum age of the rows to archive")
	c.Flags().StringVar(&flags.archive, "archive", "", "`FILE` to create, which must not exist (required without --dry-run)")
	c.Flags().BoolVar(&flags.dry, "dry-run", false, "only count the rows to archive")
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		switch least := max(day, 2*settings.Reservation.Retention); {
		case flags.archive == "" && !flags.dry:
			return usage(c, "--archive is missing: name a file, or use --dry-run")
		case time.Duration(flags.olderThan) < least:
			return usage(c, "--older-than is %s, must be at least %s: a day, and twice reservation.retention",
				flags.olderThan.String(), least)
		}
		return m.prune(c.Context(), settings, flags, *f)
	})
}

// pruned is the JSON output of `reconcile prune`.
type pruned struct {
	postgres.Pruned
	Before  time.Time `json:"before"`
	Archive string    `json:"archive,omitempty"` // "" if no file was written
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
	before := time.Now().UTC().Add(-time.Duration(flags.olderThan)).Truncate(time.Second)
	out := pruned{Before: before, DryRun: flags.dry}
	options := postgres.PruneOptions{Before: before}
	if !flags.dry {
		archive := &archiveFile{path: flags.archive}
		defer func() { err = errors.Join(err, archive.Close()) }()
		progress, end := m.counter("archiving")
		defer end()
		options.Archive, options.Progress = archive, progress
	}
	if out.Pruned, err = db.Prune(ctx, options); err != nil {
		return err
	}
	if !flags.dry && out.Reservations+out.Movements > 0 {
		out.Archive = flags.archive
	}
	return m.print(f, out, func(w io.Writer) {
		rows := fmt.Sprintf("%d reservations and %d movements from before %s",
			out.Reservations, out.Movements, before.Format(time.RFC3339))
		switch {
		case flags.dry:
			fmt.Fprintf(w, "%s would be archived\n", rows)
		case out.Archive == "":
			fmt.Fprintf(w, "nothing to archive: no row is from before %s\n", before.Format(time.RFC3339))
		default:
			fmt.Fprintf(w, "%s were moved from the ledger to %s\n", rows, out.Archive)
		}
	})
}

// archiveFile is a gzip file. The first Write creates it, and never replaces an existing file.
type archiveFile struct {
	path string
	file *os.File
	gzip *gzip.Writer
}

func (a *archiveFile) Write(p []byte) (int, error) {
	if a.file == nil {
		file, err := createNew(a.path)
		if err != nil {
			return 0, err
		}
		a.file, a.gzip = file, gzip.NewWriter(file)
		if err := syncFolder(filepath.Dir(a.path)); err != nil {
			return 0, err
		}
	}
	return a.gzip.Write(p)
}

// Sync writes everything so far to the disk.
func (a *archiveFile) Sync() error {
	if a.file == nil {
		return nil
	}
	return errors.Join(a.gzip.Flush(), a.file.Sync())
}

// Close ends the gzip stream and closes the file.
func (a *archiveFile) Close() error {
	if a.file == nil {
		return nil
	}
	return errors.Join(a.gzip.Close(), a.file.Sync(), a.file.Close())
}
