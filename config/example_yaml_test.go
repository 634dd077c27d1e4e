package config_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast/holdfast/config"
)

func TestExampleFile(t *testing.T) {
	text, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree yaml.Node
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	keys, bare := leaves(tree.Content[0], "")

	t.Run("names every key in order", func(t *testing.T) {
		if !slices.Equal(keys, config.Keys()) {
			t.Errorf("the file has %v, want %v", keys, config.Keys())
		}
	})
	t.Run("explains every key", func(t *testing.T) {
		if len(bare) > 0 {
			t.Errorf("no comment above %v", bare)
		}
	})
	t.Run("equals the defaults", func(t *testing.T) {
		t.Chdir(t.TempDir())
		defaults, err := config.Load(nil, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		path := "copy.yaml"
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		fromFile, err := config.Load(nil, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(fromFile, defaults) {
			t.Errorf("the file gives %+v, the defaults are %+v", fromFile, defaults)
		}
	})
}

// TestExampleFileHasDefaultsAsWritten compares texts: 24h and 1440m are the same duration, but the
// file and --help should say the same.
func TestExampleFileHasDefaultsAsWritten(t *testing.T) {
	text, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	for _, key := range config.Keys() {
		var got any = values
		for name := range strings.SplitSeq(key, ".") {
			group, _ := got.(map[string]any)
			got = group[name]
		}
		if want := config.Default(key); got != want {
			t.Errorf("%s is %#v in the file, the default is %#v", key, got, want)
		}
	}
}

// leaves lists the dotted keys of a mapping's scalars, and those without a comment above.
func leaves(node *yaml.Node, prefix string) (keys, bare []string) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		key := prefix + name.Value
		if value.Kind == yaml.MappingNode {
			k, b := leaves(value, key+".")
			keys, bare = append(keys, k...), append(bare, b...)
			continue
		}
		keys = append(keys, key)
		if name.HeadComment == "" {
			bare = append(bare, key)
		}
	}
	return keys, bare
}
