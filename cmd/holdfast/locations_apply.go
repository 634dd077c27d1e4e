package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/directory"
)

// applyFlags are the choices of `locations apply`.
type applyFlags struct {
	actor     string
	ifVersion int64
	check     bool
}

func (m *Main) locationsApplyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "apply FILE.yaml",
		Short: "Replace the routing directory by that of a file",
		Long: "Replace the routing directory by that of a YAML or JSON file, as a whole or not at all. - reads\n" +
			"standard input. Every server uses it within a second; the version before answers until then.\n" +
			"Reservations keep their locations.\n\n" +
			"The whole file is checked first. Faults are listed as FILE:LINE:COLUMN: /path: what is wrong, and\n" +
			"then nothing is sent. Applying what is in use already changes nothing. A location that has held\n" +
			"or committed units can't be left out: disable it instead.",
		Example: "  holdfast locations apply locations.yaml\n" +
			"  holdfast locations apply locations.yaml --if-version 3 --actor \"$USER\"\n" +
			"  holdfast locations apply locations.yaml --check",
		Args: oneArg("FILE.yaml"),
	}
	var flags applyFlags
	c.Flags().StringVar(&flags.actor, "actor", userName(), "who, kept with the version")
	c.Flags().Int64Var(&flags.ifVersion, "if-version", contract.AnyVersion, "only where this version is the current one; 0: where there is none")
	c.Flags().BoolVar(&flags.check, "check", false, "only check the file; no server is called")
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		err := m.locationsApply(c, args[0], flags, *f)
		if wrong, ok := errors.AsType[*directoryError](err); ok && *f == formatJSON {
			return errors.Join(err, m.print(*f, directoryFaults(wrong), nil))
		}
		return err
	}
	return c
}

// directoryFaultList is the JSON document of a file with faults.
type directoryFaultList struct {
	Faults []directoryFault `json:"faults"`
}

type directoryFault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

func directoryFaults(e *directoryError) directoryFaultList {
	var out directoryFaultList
	for _, f := range e.wrong.Faults {
		out.Faults = append(out.Faults, directoryFault{e.file, f.Line, f.Column, f.Path, f.Message})
	}
	return out
}

// appliedDirectory is what `locations apply` prints as JSON.
type appliedDirectory struct {
	contract.Directory
	Replay bool `json:"replay"` // it was in use already; nothing was changed
}

func (m *Main) locationsApply(c *cobra.Command, path string, flags applyFlags, f format) error {
	name, text, err := m.readFile(path, directory.BytesMax)
	if err != nil {
		return err
	}
	d, err := decodeDirectory(name, text)
	if err != nil {
		return err
	}
	contents := fmt.Sprintf("locations %d, zones %d, channels %d, limits %d, kits %d",
		len(d.Locations), len(d.Zones), len(d.Channels), len(d.Limits), len(d.Kits))
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
	return m.print(f, appliedDirectory{applied, replay}, func(w io.Writer) {
		if replay {
			fmt.Fprintf(w, "nothing changed: version %d says the same\n", applied.Version)
			return
		}
		fmt.Fprintf(w, "version %d is in use within a second: %s\n", applied.Version, contents)
	})
}

// readFile reads a small file, or standard input where it is named -; one that is larger is cut one byte
// behind most.
func (m *Main) readFile(path string, most int64) (name string, text []byte, err error) {
	if path == "-" {
		text, err = io.ReadAll(io.LimitReader(m.Stdin, most+1))
		return "stdin", text, err
	}
	file, err := os.Open(path)
	if err != nil {
		return path, nil, err
	}
	defer func() { _ = file.Close() }() // only read
	text, err = io.ReadAll(io.LimitReader(file, most+1))
	return path, text, err
}

// userName is who runs the command, "" where nobody knows.
func userName() string {
	if who, err := user.Current(); err == nil {
		return who.Username
	}
	return ""
}
