package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/holdfast/holdfast/config"
)

const configFlag = "config"

// root returns the command tree.
func (m *Main) root() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "holdfast",
		Short: "Reserve stock without overselling",
		Long: "Holdfast reserves stock and cannot oversell. `holdfast serve` runs the server. The other commands\n" +
			"set up, check and repair a deployment.\n\n" +
			"Exit status: 0 success; 1 the server refused, or faults were found; 2 wrong usage, or the command\n" +
			"could not run.",
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
		"configuration file (default "+config.FileDefault+", if it exists)")
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(c, "%v", err) })
	return c
}

// group makes c a command that only holds children.
func group(c *cobra.Command, children ...*cobra.Command) *cobra.Command {
	c.AddCommand(children...)
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		hint := ""
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			hint = ": did you mean " + strings.Join(near, " or ") + "?"
		}
		return usage(c, "there is no command %q%s", args[0], hint)
	}
	return c
}

// usage returns an error for a wrong command line.
func usage(c *cobra.Command, format string, args ...any) error {
	return fmt.Errorf("%s\nsee %s --help", fmt.Sprintf(format, args...), c.CommandPath())
}

// noArgs accepts no arguments.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(c, "%q is one argument too many: this command takes none", args[0])
	}
	return nil
}

// oneArg accepts exactly one argument, which name describes.
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

// configured completes c, a command that reads the configuration: it adds a flag for each setting,
// and runs c by run. The help lists only the flags of the servers, except for serve.
func (m *Main) configured(c *cobra.Command, run func(*cobra.Command, []string, config.Config) error) *cobra.Command {
	settings := pflag.NewFlagSet(c.Name(), pflag.ContinueOnError)
	config.AddFlags(settings)
	if c.Name() != "serve" {
		settings.VisitAll(func(f *pflag.Flag) {
			f.Hidden = !slices.Contains([]string{"redis-url", "redis-prefix", "postgres-url"}, f.Name)
		})
		c.Long += "\n\nEvery other setting has a flag too: see `holdfast serve --help`."
	}
	c.Flags().AddFlagSet(settings)
	c.RunE = func(c *cobra.Command, args []string) error {
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		return run(c, args, settings)
	}
	return c
}

// configuration reads the configuration for c. The flags of c override everything else.
func (m *Main) configuration(c *cobra.Command) (config.Config, error) {
	path, err := c.Flags().GetString(configFlag)
	if err != nil {
		return config.Config{}, err
	}
	if path == "" && c.Flags().Changed(configFlag) {
		return config.Config{}, usage(c, "--config is empty: name a file, or leave it out")
	}
	return config.Load(c.Flags(), path, m.Env)
}
