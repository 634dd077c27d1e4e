package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os/user"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	holdfast "github.com/holdfast/holdfast/clients/go"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/directoryfile"
	"github.com/holdfast/holdfast/location"
)

func (m *Main) locationsCommand() *cobra.Command {
	return addServer(group(&cobra.Command{
		Use:   "locations",
		Short: "Show and replace the routing directory",
		Long:  "Show and replace the routing directory: locations, zones, channels, campaigns and kits.",
		Example: "  holdfast locations apply locations.yaml\n" +
			"  holdfast locations show",
	}, m.locationsApplyCommand(), m.locationsShowCommand()))
}

// applyFlags are the flags of `locations apply`.
type applyFlags struct {
	actor     string
	ifVersion int64
	check     bool
}

func (m *Main) locationsApplyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "apply FILE.yaml",
		Short: "Replace the routing directory with a file",
		Long: "Replace the whole routing directory with a YAML or JSON file, or with standard input if FILE.yaml\n" +
			"is -. Every server uses the new version within a second. Existing reservations keep their\n" +
			"locations.\n\n" +
			"The command first checks the whole file. If it has faults, the command lists them as\n" +
			"FILE:LINE:COLUMN: /path: fault, and changes nothing. Applying the current directory again changes\n" +
			"nothing. You cannot leave out a location with held or committed units: disable it instead.",
		Example: "  holdfast locations apply locations.yaml\n" +
			"  holdfast locations apply locations.yaml --if-version 3 --actor \"$USER\"\n" +
			"  holdfast locations apply locations.yaml --check",
		Args: oneArg("FILE.yaml"),
	}
	var flags applyFlags
	c.Flags().StringVar(&flags.actor, "actor", userName(), "`NAME` of the person to record with the version")
	c.Flags().Int64Var(&flags.ifVersion, "if-version", contract.AnyVersion,
		"apply only if this `VERSION` is the current one; 0 means no version yet, -1 any")
	c.Flags().BoolVar(&flags.check, "check", false, "check the file without calling a server")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		err := m.locationsApply(c, args[0], flags, *f)
		if wrong, ok := errors.AsType[*directoryfile.Error](err); ok && *f == formatJSON {
			return errors.Join(err, m.print(*f, wrong, nil))
		}
		return err
	}
	return c
}

// appliedDirectory is the JSON output of `locations apply`.
type appliedDirectory struct {
	contract.Directory
	Replay bool `json:"replay"` // the directory was current already; nothing changed
}

func (m *Main) locationsApply(c *cobra.Command, path string, flags applyFlags, f format) error {
	name, text, err := m.readFile(path, directoryFile)
	if err != nil {
		return err
	}
	d, err := directoryfile.Decode(name, text)
	if err != nil {
		return err
	}
	contents := fmt.Sprintf("locations %d, zones %d, channels %d, campaigns %d, kits %d",
		len(d.Locations), len(d.Zones), len(d.Channels), len(d.Campaigns)+len(d.Limits), len(d.Kits))
	if flags.check {
		return m.print(f, d, func(w io.Writer) { fmt.Fprintf(w, "%s can be applied: %s\n", name, contents) })
	}
	server, err := m.client(c)
	if err != nil {
		return err
	}
	applied, replay, err := server.ApplyDirectory(c.Context(), d, flags.ifVersion, flags.actor)
	if err != nil {
		return err
	}
	m.warnUnsold(c.Context(), server, d)
	return m.print(f, appliedDirectory{applied, replay}, func(w io.Writer) {
		if replay {
			fmt.Fprintf(w, "nothing changed: version %d is the same\n", applied.Version)
			return
		}
		fmt.Fprintf(w, "version %d is applied; every server uses it within a second: %s\n", applied.Version, contents)
	})
}

// unsoldLevels is how many levels warnUnsold looks at: most SKUs are at the same locations.
const unsoldLevels = 2000

// warnUnsold warns about stock at locations that the directory does not have: nothing there can be sold.
// It looks at the first levels only, and says nothing about those that it cannot read.
func (m *Main) warnUnsold(ctx context.Context, server *holdfast.Client, d location.Directory) {
	known, unsold := map[string]bool{}, map[string]bool{}
	for _, l := range d.Locations {
		known[string(l.ID)] = true
	}
	left := unsoldLevels
	_ = eachLevel(ctx, server, url.Values{"limit": {strconv.Itoa(contract.LevelPageMax)}}, func(l contract.Level) error {
		if l.OnHand > 0 && !known[l.Location] {
			unsold[l.Location] = true
		}
		if left--; left == 0 {
			return io.EOF
		}
		return nil
	})
	for _, at := range slices.Sorted(maps.Keys(unsold)) {
		fmt.Fprintf(m.Stderr, "warning: there is stock at %q, which the directory does not have: it cannot be sold\n", at)
	}
}

// userName returns the name of the user who runs the command, or "" if it is unknown.
func userName() string {
	if who, err := user.Current(); err == nil {
		return who.Username
	}
	return ""
}

func (m *Main) locationsShowCommand() *cobra.Command {
	return m.calling(&cobra.Command{
		Use:   "show",
		Short: "Print the routing directory",
		Long: "Print the current routing directory as YAML, or as JSON. `holdfast locations apply` reads both\n" +
			"formats.",
		Example: "  holdfast locations show\n" +
			"  holdfast locations show > locations.yaml",
		Args: noArgs,
	}, func(ctx context.Context, server *holdfast.Client, _ []string, f format) error {
		current, err := server.Directory(ctx)
		if err != nil {
			return err
		}
		text, err := directoryfile.Encode(current.Directory)
		if err != nil {
			return err
		}
		return m.print(f, current, func(w io.Writer) {
			by := ""
			if current.Actor != "" {
				by = " by " + current.Actor
			}
			fmt.Fprintf(w, "# version %d, applied %s%s\n%s", current.Version, current.AppliedAt.Format(time.RFC3339), by, text)
		})
	})
}
