// Package directoryfile reads and writes the routing directory as YAML. An error lists all faults of a
// file at once, each with its line and column.
package directoryfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast/holdfast/location"
)

// BytesMax is the maximum size of a file.
const BytesMax = 8 << 20

// Decode reads a directory from YAML or JSON. The only error is *Error. It lists all faults of syntax,
// types and unknown fields, or else those that location.Directory.Validate finds. name is what the
// faults call the file; it may be "".
func Decode(name string, data []byte) (location.Directory, error) {
	var d location.Directory
	r := reader{file: name, at: map[string]*yaml.Node{}}
	if root := r.parse(data); root != nil {
		r.value("", root, reflect.ValueOf(&d).Elem())
	}
	malformed := len(r.faults) > 0
	if !malformed {
		for _, f := range d.Validate() {
			r.add(f.Path, r.nearest(f.Path), "%s", f.Message)
		}
	}
	if len(r.faults) > 0 {
		slices.SortStableFunc(r.faults, func(a, b Fault) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return location.Directory{}, &Error{r.faults, malformed}
	}
	return d, nil
}

// parse returns the root of the only document of a file, or nil if there is a fault.
func (r *reader) parse(data []byte) *yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	if len(data) > BytesMax {
		r.add("", start, "is %d bytes long, at most %d are allowed", len(data), BytesMax)
		return nil
	}
	in := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := in.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && isEmpty(&doc) {
		r.add("", start, "is empty: a directory needs locations and channels")
		return nil
	}
	if err == nil {
		err = in.Decode(&more)
	}
	switch {
	case errors.Is(err, io.EOF):
		return doc.Content[0]
	case err != nil:
		r.addSyntax(err)
	default:
		r.add("", &more, "starts a second document: a file must have only one")
	}
	return nil
}

func isEmpty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].Tag == "!!null"
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// addSyntax moves the line from the text of the parser's error to where faults have it.
func (r *reader) addSyntax(err error) {
	text, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		text = strings.TrimPrefix(text, m[0])
	}
	r.add("", &yaml.Node{Line: line}, "is not YAML: %s", text)
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

// Encode writes a directory as YAML, with one line for each location, zone, channel, campaign and kit.
// Decode reads back the same directory.
func Encode(d location.Directory) ([]byte, error) {
	var root yaml.Node
	if err := root.Encode(d); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	for i := 1; i < len(root.Content); i += 2 {
		for _, entry := range root.Content[i].Content {
			entry.Style |= yaml.FlowStyle
		}
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&root); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	return out.Bytes(), encoder.Close()
}

// Fault is one error in a file.
type Fault struct {
	File    string `json:"file"`   // as Decode got it; may be ""
	Line    int    `json:"line"`   // from 1
	Column  int    `json:"column"` // from 1
	Path    string `json:"path"`   // JSON pointer, such as /locations/0/country; "" for the whole file
	Message string `json:"message"`
}

// Error lists all faults of a file in the order of its lines.
type Error struct {
	Faults    []Fault `json:"faults"`
	Malformed bool    `json:"-"` // the file could not be read; else it is not a valid directory
}

// Error lists the faults, one per line, as FILE:LINE:COLUMN: PATH: MESSAGE. It leaves out an empty
// FILE or PATH.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = strings.TrimPrefix(f.File+":", ":") + fmt.Sprintf("%d:%d: ", f.Line, f.Column) +
			strings.TrimPrefix(f.Path+": ", ": ") + f.Message
	}
	return strings.Join(lines, "\n")
}
