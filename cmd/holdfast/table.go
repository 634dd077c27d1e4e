package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table aligns rows whose cells are parted by tabs. A line that begins with a tab is a note on the row above
// it: it stands below that row's second cell, and makes no column wider.
type table struct {
	to   io.Writer
	text bytes.Buffer
}

func (t *table) Write(p []byte) (int, error) { return t.text.Write(p) }

// flush prints what was written so far.
func (t *table) flush() {
	var aligned bytes.Buffer
	rows := tabwriter.NewWriter(&aligned, 0, 8, 2, ' ', 0)
	var first []string // cell of each row
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
	_ = rows.Flush() // to a buffer
	n := 0
	for line := range strings.Lines(aligned.String()) {
		fmt.Fprintln(t.to, strings.TrimRight(line, " \n"))
		for _, note := range notes[n] {
			behind := line[len(first[n]):]
			indent := len(line) - len(strings.TrimLeft(behind, " "))
			fmt.Fprint(t.to, strings.Repeat(" ", indent), note)
		}
		n++
	}
	t.text.Reset()
}
