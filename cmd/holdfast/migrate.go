package main

import (
	"fmt"

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
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		postgres, err := openPostgres(settings)
		if err != nil {
			return err
		}
		defer postgres.Close()
		if *check {
			if err := postgres.CheckSchema(c.Context()); err != nil {
				return err
			}
			fmt.Fprintln(m.Stdout, "the tables are as this binary needs them")
			return nil
		}
		applied, err := postgres.Migrate(c.Context())
		for _, name := range applied {
			fmt.Fprintln(m.Stdout, "applied", name)
		}
		if err == nil && len(applied) == 0 {
			fmt.Fprintln(m.Stdout, "nothing to do: the tables are as this binary needs them")
		}
		return err
	})
}
