package directoryfile

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast/holdfast/internal/decimal"
)

// reader decodes nodes into a struct by its yaml tags. The YAML library can do that too, but it
// reports no columns and only the first fault of a field, and it reads text that looks like a
// number as one.
type reader struct {
	file   string
	at     map[string]*yaml.Node // by path
	faults []Fault
}

func (r *reader) add(path string, node *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, Fault{
		r.file, max(1, node.Line), max(1, node.Column), path, fmt.Sprintf(format, args...),
	})
}

// value decodes one node.
func (r *reader) value(path string, node *yaml.Node, to reflect.Value) {
	r.at[path] = node
	switch {
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		r.add(path, node, "has an anchor or alias, which is not supported: repeat the value")
	case node.Tag == "!!null" && node.Kind == yaml.ScalarNode: // like a missing value
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		r.value(path, node, to.Elem())
	case to.Kind() == reflect.Struct:
		r.fields(path, node, to)
	case to.Kind() == reflect.Slice:
		r.list(path, node, to)
	default:
		r.scalar(path, node, to)
	}
}

func (r *reader) fields(path string, node *yaml.Node, to reflect.Value) {
	if node.Kind != yaml.MappingNode {
		r.add(path, node, "must have fields: %s", strings.Join(names(to.Type()), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field := fieldOf(to, key.Value)
		at := path + "/" + key.Value
		switch {
		case key.Kind != yaml.ScalarNode || !field.IsValid():
			r.add(path, key, "has no field %q; there are %s", key.Value, strings.Join(names(to.Type()), ", "))
		case seen[key.Value]:
			r.add(at, key, "is set twice")
		default:
			r.value(at, value, field)
		}
		seen[key.Value] = true
	}
}

// names lists the fields of a struct.
func names(of reflect.Type) (list []string) {
	for i := range of.NumField() {
		list = append(list, tag(of.Field(i)))
	}
	return list
}

func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

func fieldOf(to reflect.Value, name string) reflect.Value {
	for i := range to.NumField() {
		if tag(to.Type().Field(i)) == name {
			return to.Field(i)
		}
	}
	return reflect.Value{}
}

func (r *reader) list(path string, node *yaml.Node, to reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		r.add(path, node, "must be a list")
		return
	}
	list := reflect.MakeSlice(to.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		at := path + "/" + strconv.Itoa(i)
		if item.Tag == "!!null" && item.Kind == yaml.ScalarNode {
			r.add(at, item, "is empty")
			continue
		}
		r.value(at, item, list.Index(i))
	}
	if len(node.Content) > 0 {
		to.Set(list)
	}
}

// scalar decodes a string without interpreting it, and numbers and booleans strictly.
func (r *reader) scalar(path string, node *yaml.Node, to reflect.Value) {
	if node.Kind != yaml.ScalarNode {
		r.add(path, node, "must be a single value")
		return
	}
	quoted := node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
	switch to.Kind() {
	case reflect.String:
		to.SetString(node.Value)
	case reflect.Bool:
		switch {
		case node.Value == "true" && !quoted:
			to.SetBool(true)
		case node.Value != "false" || quoted:
			r.add(path, node, "is %q, must be true or false", node.Value)
		}
	case reflect.Int64:
		n, ok := decimal.Whole(node.Value)
		if !ok || quoted {
			r.add(path, node, "is %q, must be a whole number", node.Value)
		}
		to.SetInt(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(node.Value, 64)
		if err != nil || quoted || x-x != 0 { // infinite or not a number
			r.add(path, node, "is %q, must be a number", node.Value)
		}
		to.SetFloat(x)
	}
}
