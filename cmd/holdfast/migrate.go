package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
)

func (m *Main) migrateCommand() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the ledger's tables to what this binary needs",
		Long: "Bring the ledger's tables to what this binary needs, in the database of postgres.url.\n\n" +
			"It is safe to repeat, and for several processes at once. There is no way back: take a backup\n" +
			"first. With --check nothing is changed: exit 2 where `serve` would refuse.",
		Example: "  HOLDFAST_POSTGRES_URL=postgres://holdfast@127.0.0.1:5432/holdfast holdfast migrate\n" +
			"  holdfast migrate --check",
		Args: noArgs,
	}
	config.AddFlags(c.Flags())
	c.Flags().BoolVar(&check, "check", false, "only say whether the tables are as this binary needs them")
	c.RunE = func(c *cobra.Command, _ []string) error {
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		postgres, err := openPostgres(settings)
		if err != nil {
			return err
		}
		defer postgres.Close()
		if check {
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
	}
	return c
}
