package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/holdfast/holdfast/config"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// format is how a command prints data. It is the value of --format.
type format string

const (
	formatText format = "text"
	formatJSON format = "json"
)

func (f *format) String() string { return string(*f) }

// Type returns the name of the value in --help.
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
	c.Flags().Var(&f, "format", "output format: text for people, or one JSON document")
	if c.Name() != "export" && c.Name() != "plan" { // their --output names a file
		c.Flags().VarP(&f, "output", "o", "the same as --format")
		c.Flags().Lookup("output").Hidden = true
	}
	return &f
}

// print writes data to standard output as one JSON document, or as the table that text writes.
func (m *Main) print(f format, data any, text func(w io.Writer)) error {
	if f == formatJSON {
		encoder := json.NewEncoder(m.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(data)
	}
	out := bufio.NewWriter(m.Stdout) // keeps the first error for Flush
	rows := &table{to: out}
	text(rows)
	rows.flush()
	return out.Flush()
}

// printList prints a JSON list item by item, so that a long list needs little memory. each calls
// its argument for each item.
func printList[T any](w io.Writer, indent string, each func(print func(T) error) error) error {
	separator := "["
	err := each(func(item T) error {
		text, err := json.Marshal(item)
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\n%s%s", separator, indent, text)
		}
		separator = ","
		return err
	})
	if separator == "[" {
		fmt.Fprint(w, separator)
	}
	fmt.Fprintf(w, "\n%s]", indent[2:])
	return err
}

// table aligns rows whose cells are separated by tabs. A line that begins with a tab is a note on
// the row above. It is printed under the second cell of that row, and makes no column wider.
type table struct {
	to   io.Writer
	text bytes.Buffer
}

func (t *table) Write(p []byte) (int, error) { return t.text.Write(p) }

// flush prints the rows so far.
func (t *table) flush() {
	var aligned bytes.Buffer
	rows := tabwriter.NewWriter(&aligned, 0, 8, 2, ' ', 0)
	var first []string // the first cell of each row
	notes := map[int][]string{}
	for line := range strings.Lines(t.text.String()) {
		if note, is := strings.CutPrefix(line, "\t"); is {
			notes[len(first)-1] = append(notes[len(first)-1], note)
			continue
		}
		cell, _, _ := strings.Cut(line, "\t")
		first = append(first, cell)
		fmt.Fprint(rows, line)
	}
	_ = rows.Flush() // a buffer returns no error
	n := 0
	for line := range strings.Lines(aligned.String()) {
		fmt.Fprintln(t.to, strings.TrimRight(line, " \n"))
		for _, note := range notes[n] {
			rest := line[len(first[n]):]
			indent := len(line) - len(strings.TrimLeft(rest, " "))
			fmt.Fprint(t.to, strings.Repeat(" ", indent), note)
		}
		n++
	}
	t.text.Reset()
}

// logger returns a logger of the level and in the format of the configuration.
func (m *Main) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: m.settings.Log.Level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if err, ok := a.Value.Any().(error); ok {
			return slog.String(a.Key, m.settings.Hide(err.Error()))
		}
		return a
	}}
	format := m.settings.Log.Format
	if format == config.LogText || format != config.LogJSON && isTerminal(m.Stderr) {
		return slog.New(slog.NewTextHandler(m.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(m.Stderr, options))
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

const progressEvery = 100 * time.Millisecond

// progress returns a bar on standard error that is visible only on a terminal.
func (m *Main) progress(total int, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(m.Stderr),
		progressbar.OptionSetVisibility(isTerminal(m.Stderr)),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(progressEvery),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)
}

// readingEvery is the time between two lines about a file that takes long to read.
const readingEvery = 5 * time.Second

// counted counts the bytes that are read from a file.
type counted struct {
	from io.Reader
	n    atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// reading returns a reader of a file that takes long: every few seconds, until end, it prints a line
// that says how much was read. It does so too if no data comes, as from a pipe.
func (m *Main) reading(name string, from io.Reader) (r io.Reader, end func()) {
	c, stop, stopped := &counted{from: from}, make(chan struct{}), make(chan struct{})
	tick := time.NewTicker(cmp.Or(m.readingEvery, readingEvery))
	go func() {
		defer close(stopped)
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(m.Stderr, "reading %s: %d bytes so far\n", name, c.n.Load())
			case <-stop:
				return
			}
		}
	}()
	return c, func() { tick.Stop(); close(stop); <-stopped }
}

// counter returns a bar for work whose total is known only while it runs: show moves the bar, and
// end removes it.
func (m *Main) counter(what string) (show func(done, total int64), end func()) {
	bar := m.progress(1, what)
	show = func(done, total int64) {
		bar.ChangeMax64(max(1, total))
		_ = bar.Set64(done)
	}
	return show, func() { _ = bar.Finish() }
}
