// Package directoryfile reads and writes the routing directory as YAML. An error lists all faults of a
// file at once, each with its line and column.
package directoryfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast/holdfast/location"
)

// BytesMax is the maximum size of a file.
const BytesMax = 8 << 20

// Decode reads a directory from YAML or JSON. The only error is *Error, which lists all faults: of
// syntax and types and unknown fields, or else those that location.Directory.Validate finds.
func Decode(data []byte) (location.Directory, error) {
	var d location.Directory
	if len(data) > BytesMax {
		return d, &Error{Malformed: true, Faults: []Fault{{1, 1, "", fmt.Sprintf("is %d bytes long, at most %d are allowed", len(data), BytesMax)}}}
	}
	root, err := parse(data)
	if err != nil {
		return d, err
	}
	r := reader{at: map[string]*yaml.Node{}}
	r.value("", root, reflect.ValueOf(&d).Elem())
	malformed := len(r.faults) > 0
	if !malformed {
		for _, f := range d.Validate() {
			r.add(f.Path, r.nearest(f.Path), "%s", f.Message)
		}
	}
	if len(r.faults) > 0 {
		return location.Directory{}, faultsError(r.faults, malformed)
	}
	return d, nil
}

// parse reads the only document of a file.
func parse(data []byte) (*yaml.Node, error) {
	in := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := in.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF) || err == nil && isEmpty(&doc):
		return nil, &Error{Malformed: true, Faults: []Fault{{1, 1, "", "is empty: a directory needs locations and channels"}}}
	case err != nil:
		return nil, syntaxError(err)
	}
	if err := in.Decode(&more); err == nil {
		return nil, &Error{Malformed: true, Faults: []Fault{{more.Line, more.Column, "", "starts a second document: a file must have only one"}}}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(err)
	}
	return doc.Content[0], nil
}

func isEmpty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].Tag == "!!null"
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxError moves the line from the text of the parser's error to where faults have it.
func syntaxError(err error) error {
	text, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		text = strings.TrimPrefix(text, m[0])
	}
	return &Error{Malformed: true, Faults: []Fault{{line, 1, "", "is not YAML: " + text}}}
}

// nearest returns the node at a path, or the nearest one above it.
func (r *reader) nearest(path string) *yaml.Node {
	for {
		if node := r.at[path]; node != nil {
			return node
		}
		if path == "" {
			return &yaml.Node{Line: 1, Column: 1}
		}
		path = path[:strings.LastIndexByte(path, '/')]
	}
}
