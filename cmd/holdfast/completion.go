package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/holdfast/holdfast/internal/bench"
)

// The values that a shell completes, by the name of the flag. Other flags complete nothing.
var (
	flagChoices = map[string][]string{
		"format":    {"text", "json"},
		"state":     {"held", "confirmed", "fulfilled", "released", "expired"},
		"split":     {"never", "lines", "units"},
		"delimiter": {",", ";", "tab"},
		"encoding":  {"utf-16le", "windows-1252", "iso-8859-15"},
		"scenario":  bench.Keys(bench.Scenarios),
		"contender": bench.Keys(bench.Contenders()),
		"auth-mode": {"auto", "keys", "off"},
	}
	flagFiles = map[string][]string{ // the extensions; none means any file
		"config": {"yaml", "yml"}, "directory-file": {"yaml", "yml", "json"}, "directory-centroids": {"csv"},
		"body": {"json"}, "html": {"html"}, "report": {"csv"}, "output": nil, "archive": nil, "file": nil, "cpu-profile": nil,
	}
	argumentFiles = map[string][]string{
		"holdfast stock import":    {"csv", "txt", "tsv"},
		"holdfast locations apply": {"yaml", "yml", "json"},
		"holdfast reconcile apply": {"json"}, "holdfast reconcile recover": {"jsonl"},
	}
)

// addCompletions adds what a shell completes to c and the commands below it.
func addCompletions(c *cobra.Command) {
	if files, found := argumentFiles[c.CommandPath()]; found {
		c.ValidArgsFunction = completeFiles(files)
	} else if c.ValidArgsFunction == nil && !c.HasSubCommands() {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	add := func(f *pflag.Flag) {
		complete := cobra.CompletionFunc(cobra.NoFileCompletions)
		if f.Value.Type() == "text|json" {
			complete = cobra.FixedCompletions(flagChoices["format"], cobra.ShellCompDirectiveNoFileComp)
		} else if files, found := flagFiles[f.Name]; found {
			complete = completeFiles(files)
		} else if choices, found := flagChoices[f.Name]; found {
			complete = cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)
		}
		_ = c.RegisterFlagCompletionFunc(f.Name, complete) // fails only for a flag that does not exist
	}
	c.LocalFlags().VisitAll(add)
	for _, child := range c.Commands() {
		addCompletions(child)
	}
}

func completeFiles(extensions []string) cobra.CompletionFunc {
	if len(extensions) == 0 {
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	}
	return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
}
