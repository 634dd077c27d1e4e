package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/directory"
)

func (m *Main) locationsShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show",
		Short: "Print the routing directory",
		Long:  "Print the routing directory as YAML, as `holdfast locations apply` takes it, or as JSON.",
		Example: "  holdfast locations show\n" +
			"  holdfast locations show > locations.yaml",
		Args: noArgs,
	}
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		server, err := m.client(c)
		if err != nil {
			return err
		}
		current, err := server.Directory(c.Context())
		if err != nil {
			return err
		}
		text, err := directory.Encode(current.Directory)
		if err != nil {
			return err
		}
		return m.print(*f, current, func(w io.Writer) {
			fmt.Fprintf(w, "# version %d, applied %s%s\n%s", current.Version, current.AppliedAt.Format(time.RFC3339), by(current.Actor), text)
		})
	}
	return c
}

func by(actor string) string {
	if actor == "" {
		return ""
	}
	return " by " + actor
}
