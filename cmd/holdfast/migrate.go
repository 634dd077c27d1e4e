package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
)

func (m *Main) migrateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Create or upgrade the tables of the ledger",
		Long: "Create the tables of the ledger in the database of postgres.url, or upgrade them to what this\n" +
			"binary needs. You can run it again, and several processes can run it at once. There is no\n" +
			"downgrade: take a backup first.\n\n" +
			"Exit status: 0 the tables are as this binary needs them; 2 the command could not run, or --check\n" +
			"found tables with which `holdfast serve` would refuse to start.",
		Example: "  HOLDFAST_POSTGRES_URL=postgres://holdfast@127.0.0.1:5432/holdfast holdfast migrate\n" +
			"  holdfast migrate --check",
		Args: noArgs,
	}
	check := c.Flags().Bool("check", false, "check the tables without changing them")
	f := addFormat(c)
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		postgres, err := openPostgres(settings)
		if err != nil {
			return err
		}
		defer postgres.Close()
		done := migrated{Applied: []string{}}
		if *check {
			err = postgres.CheckSchema(c.Context())
		} else {
			done.Applied, err = postgres.Migrate(c.Context())
		}
		if err != nil && len(done.Applied) == 0 {
			return err
		}
		return errors.Join(err, m.print(*f, done, func(w io.Writer) {
			for _, name := range done.Applied {
				fmt.Fprintln(w, "applied", name)
			}
			switch {
			case *check:
				fmt.Fprintln(w, "the tables are as this binary needs them")
			case len(done.Applied) == 0:
				fmt.Fprintln(w, "nothing to do: the tables are as this binary needs them")
			}
		}))
	})
}

// migrated is the JSON output of `migrate`.
type migrated struct {
	Applied []string `json:"applied"` // the migrations that this run applied
}
