// Command holdfast serves the Holdfast API. It is also the tool with which operators set up,
// check and repair a deployment.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/bench"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/demo"
	"github.com/holdfast/holdfast/internal/directoryfile"
	"github.com/holdfast/holdfast/internal/stockcsv"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// The exit codes.
const (
	exitDone    = 0
	exitRefused = 1 // the server refused, or faults were found
	exitFailed  = 2 // wrong usage, or the command could not run
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills a program that is slow to stop
	m := &Main{
		Args: os.Args[1:], Env: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	os.Exit(m.Run(ctx))
}

// Main is the whole program, so that a test can start it.
type Main struct {
	Args   []string // without the program's name
	Env    []string // NAME=value each
	Stdin  io.Reader
	Stdout io.Writer // data, and nothing else
	Stderr io.Writer // logs, errors and progress

	// Listening, if not nil, is called with the address when `serve` accepts connections.
	Listening func(net.Addr)

	settings     config.Config // as read, for what must be hidden
	readingEvery time.Duration // between two lines about a long read; 0 means the constant
}

// Run runs the command in Args until it is done or ctx ends, and returns the exit code.
func (m *Main) Run(ctx context.Context) int {
	root := m.root()
	root.SetArgs(m.Args)
	root.SetIn(m.Stdin)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)
	err := checkUTF8(m.Args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	switch {
	case err == nil:
		return exitDone
	case isFaults(err):
		fmt.Fprintln(m.Stderr, err) // without a prefix, so that an editor can jump to each fault
	default:
		fmt.Fprintln(m.Stderr, "holdfast:", m.settings.Hide(err.Error()))
	}
	return exitCode(err)
}

// isFaults reports whether err lists the faults of a file.
func isFaults(err error) bool {
	_, rows := errors.AsType[*stockcsv.FaultsError](err)
	_, directory := errors.AsType[*directoryfile.Error](err)
	return rows || directory
}

// refusals are the errors that exit with exitRefused and carry no data.
var refusals = []error{
	errUnsafe, errDrift, errLeft, errNotRecovered,
	postgres.ErrKeyName, postgres.ErrKeyMissing, postgres.ErrKeySeveral,
	audit.ErrTooMuch, audit.ErrPlanInvalid, audit.ErrPlanForeign,
}

func exitCode(err error) int {
	problem, ok := errors.AsType[*contract.Problem](err)
	refused := ok && problem.Refused()
	_, failed := errors.AsType[*demo.FailedError](err)
	_, missing := errors.AsType[*bench.MissingError](err)
	if isFaults(err) || refused || failed || missing ||
		slices.ContainsFunc(refusals, func(refusal error) bool { return errors.Is(err, refusal) }) {
		return exitRefused
	}
	return exitFailed
}

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
		Version:       version,
		SilenceErrors: true, // Run prints them
		SilenceUsage:  true,
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
		m.keysCommand(),
		m.versionCommand(),
	)
	c.PersistentFlags().String(configFlag, "",
		"configuration `FILE` (default "+config.FileDefault+", if it exists)")
	c.SetVersionTemplate(thisBuild().text())
	c.SetHelpCommand(helpCommand())
	// A group only holds commands: running it alone prints the help.
	c.SetUsageTemplate(strings.Replace(c.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}", 1))
	addCompletions(c)
	c.SetFlagErrorFunc(flagError)
	return c
}

// group makes c a command that only holds children.
func group(c *cobra.Command, children ...*cobra.Command) *cobra.Command {
	c.AddCommand(children...)
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return usage(c, "there is no command %s%s", quoted(args[0]), didYouMean(c, args[0], ""))
	}
	return c
}

// helpCommand returns the command `help`, which refuses commands that do not exist.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Print the help of a command",
		Example: "  holdfast help stock import",
		RunE: func(c *cobra.Command, args []string) error {
			found, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usage(c.Root(), "there is no command %s%s", quoted(rest[0]), didYouMean(found, rest[0], ""))
			}
			return found.Help()
		},
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
	m.settings, err = config.Load(c.Flags(), path, m.Env)
	return m.settings, err
}
