package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

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
	if name == "json" && c.Flags().Lookup("format") != nil {
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
