package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
)

const configFlag = "config"

// root is the command tree: one file for each command.
func (m *Main) root() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "holdfast",
		Short: "Keep stock from being sold twice",
		Long: "Holdfast keeps stock from being sold twice: `holdfast serve` is the server, the other commands\n" +
			"are for those who run it.\n\n" +
			"Exit status: 0 done; 1 refused by the server, or faults found; 2 usage, or it could not run.",
		Example: "  holdfast serve\n" +
			"  holdfast stock import stock.csv\n" +
			"  holdfast stock show TEE-M",
		SilenceErrors:     true, // Run prints them
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	},
		m.serveCommand(),
		m.demoCommand(),
		m.benchCommand(),
		m.migrateCommand(),
		m.reconcileCommand(),
		m.doctorCommand(),
		m.stockCommand(),
		m.locationsCommand(),
		m.routeCommand(),
		m.reservationsCommand(),
		m.versionCommand(),
	)
	c.PersistentFlags().String(configFlag, "",
		"file to read the configuration from (default "+config.FileDefault+", if there is one)")
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(c, "%v", err) })
	return c
}

// group makes c a command that only holds others.
func group(c *cobra.Command, children ...*cobra.Command) *cobra.Command {
	c.AddCommand(children...)
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage(c, "there is no command %q%s", args[0], suggestion(c, args[0]))
		}
		return c.Help()
	}
	return c
}

func suggestion(c *cobra.Command, typed string) string {
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(typed); len(near) > 0 {
		return ": did you mean " + strings.Join(near, " or ") + "?"
	}
	return ""
}

// usage is an error of the command line.
func usage(c *cobra.Command, format string, args ...any) error {
	return fmt.Errorf("%s\nsee %s --help", fmt.Sprintf(format, args...), c.CommandPath())
}

// noArgs takes none.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(c, "%q is one argument too many: this command takes none", args[0])
	}
	return nil
}

// oneArg takes exactly one, which name describes.
func oneArg(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 || args[0] == "":
			return usage(c, "%s is missing", name)
		case len(args) > 1:
			return usage(c, "%q is one argument too many: this command takes one %s", args[1], name)
		}
		return nil
	}
}

// configuration reads the configuration for c, whose own flags override the rest.
func (m *Main) configuration(c *cobra.Command) (config.Config, error) {
	path, err := c.Flags().GetString(configFlag)
	if err != nil {
		return config.Config{}, err
	}
	if path == "" && c.Flags().Changed(configFlag) {
		return config.Config{}, usage(c, "--config names no file")
	}
	return config.Load(c.Flags(), path, m.Env)
}
