package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// format is how data is printed. It is a flag's value.
type format string

const (
	formatText format = "text"
	formatJSON format = "json"
)

func (f *format) String() string { return string(*f) }

// Type is what --help calls the value.
func (f *format) Type() string { return "text|json" }

// Set reads the flag.
func (f *format) Set(text string) error {
	if format(text) != formatText && format(text) != formatJSON {
		return errors.New("must be text or json")
	}
	*f = format(text)
	return nil
}

func addFormat(c *cobra.Command) *format {
	f := formatText
	c.Flags().Var(&f, "format", "how to print: for people, or as one JSON document")
	return &f
}

// print writes data to standard output: as one JSON document, or by text.
func (m *Main) print(f format, data any, text func(w io.Writer)) error {
	if f == formatJSON {
		encoder := json.NewEncoder(m.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return printed(encoder.Encode(data))
	}
	w := &failing{to: m.Stdout}
	rows := &table{to: w}
	text(rows)
	rows.flush()
	return printed(w.err)
}

func printed(err error) error {
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// failing keeps the first error of a writer, so that a table can be written without looking.
type failing struct {
	to  io.Writer
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.to.Write(p)
	f.err = err
	return n, err
}

// isTerminal reports whether a person looks at w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
