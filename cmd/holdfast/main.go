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
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/bench"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/demo"
	"github.com/holdfast/holdfast/internal/directoryfile"
	"github.com/holdfast/holdfast/internal/stockcsv"
	"github.com/holdfast/holdfast/reconcile/audit"
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

// checkUTF8 refuses an argument that is not UTF-8, because JSON would change it.
func checkUTF8(args []string) error {
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return fmt.Errorf("the argument %s is not UTF-8: identifiers and file names must be", quoted(arg))
		}
	}
	return nil
}

// quoted quotes an argument for an error. It hides one that looks like a URL or a list of options,
// which may contain a password.
func quoted(arg string) string {
	_, value, _ := strings.Cut(arg, "=")
	if strings.Contains(arg, "://") || strings.Contains(arg, "@") || strings.Contains(value, "=") ||
		value != "" && !strings.HasPrefix(arg, "-") {
		return "(hidden)"
	}
	return strconv.Quote(arg)
}

// isFaults reports whether err lists the faults of a file.
func isFaults(err error) bool {
	_, rows := errors.AsType[*stockcsv.FaultsError](err)
	_, directory := errors.AsType[*directoryfile.Error](err)
	return rows || directory
}

// refusals are the errors that exit with exitRefused and carry no data.
var refusals = []error{
	errUnsafe, errDrift, errLeft,
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

// usage returns an error for a wrong command line.
func usage(c *cobra.Command, format string, args ...any) error {
	return fmt.Errorf("%s\nsee %s --help", fmt.Sprintf(format, args...), c.CommandPath())
}

// flagError rewrites an error of pflag, which may quote a value that is secret. It says which flag was
// probably meant.
func flagError(c *cobra.Command, err error) error {
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		must := valueMust[wrong.GetFlag().Value.Type()]
		if must == "" {
			must = errors.Unwrap(wrong).Error()
		}
		return usage(c, "--%s is %s, %s", wrong.GetFlag().Name, quoted(wrong.GetValue()), must)
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usage(c, "--%s needs a value", bare.GetFlag().Name)
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage(c, "a flag has no name: write --NAME or --NAME=VALUE")
	}
	name, dashes := unknown.GetSpecifiedName(), "--"
	if short := unknown.GetSpecifiedShortnames(); short != "" { // such as -format=json
		name, _, _ = strings.Cut(short, "=")
		dashes = "-"
	}
	if name == "json" || (name == "output" || name == "o") && c.Flags().Lookup("format") != nil {
		return usage(c, "unknown flag: %s%s: for JSON use --format json", dashes, name)
	}
	flags := &cobra.Command{}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			flags.AddCommand(&cobra.Command{Use: f.Name, RunE: c.RunE})
		}
	})
	return usage(c, "unknown flag: %s%s%s", dashes, name, didYouMean(flags, name, "--"))
}

// valueMust says what a value of a type of pflag must be.
var valueMust = map[string]string{
	"bool":        "must be true or false",
	"int":         "must be a whole number",
	"int64":       "must be a whole number",
	"uint64":      "must be a whole number from 0",
	"float64":     "must be a number",
	"duration":    "must be a duration with a unit, such as 30s or 5m",
	"intSlice":    "must be whole numbers, separated by commas",
	"stringSlice": "must be names, separated by commas",
}

// didYouMean lists the children of c with a name like name, for the end of an error.
func didYouMean(c *cobra.Command, name, prefix string) string {
	c.SuggestionsMinimumDistance = 2
	near := c.SuggestionsFor(name)
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + prefix + strings.Join(near, " or "+prefix) + "?"
}

// noArgs accepts no arguments.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(c, "%s is one argument too many: this command takes none", quoted(args[0]))
	}
	return nil
}

// oneArg accepts exactly one argument, which name describes.
func oneArg(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 || args[0] == "":
			return missing(c, name)
		case len(args) > 1:
			return usage(c, "%s is one argument too many: this command takes one %s", quoted(args[1]), name)
		}
		return nil
	}
}

// missing returns an error for an argument or a flag that is missing. It says what to type.
func missing(c *cobra.Command, name string) error {
	example, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
	return usage(c, "%s is missing: for example, %s", name, example)
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
