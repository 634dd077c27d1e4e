package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker in a release.
var version = "dev"

// build identifies a binary.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true" && b.Commit != "":
			b.Commit += "-modified"
		}
	}
	return b
}

func (b build) text() string {
	text := "holdfast " + b.Version + "\n"
	if b.Commit != "" {
		text += "commit " + b.Commit + "\n"
	}
	return text + b.Go + "\n"
}

func (m *Main) versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this binary",
		Example: "  holdfast version\n" +
			"  holdfast version --format json",
		Args: noArgs,
	}
	f := addFormat(c)
	c.RunE = func(*cobra.Command, []string) error {
		b := thisBuild()
		return m.print(*f, b, func(w io.Writer) { fmt.Fprint(w, b.text()) })
	}
	return c
}
