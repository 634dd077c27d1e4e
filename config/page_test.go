package config_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast/holdfast/config"
)

var update = flag.Bool("update", false, "rewrite the settings in docs/configuration.md")

// The part of the page between these lines is generated.
const (
	page  = "../docs/configuration.md"
	begin = "<!-- settings: generated from config/example.yaml by go test ./config -update -->\n"
	end   = "<!-- end of settings -->\n"
)

// TestPage checks that docs/configuration.md says what example.yaml says.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree yaml.Node
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	var settings strings.Builder
	describe(&settings, tree.Content[0], "")

	current, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(current), begin)
	_, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		t.Fatalf("%s has no lines %q and %q", page, begin, end)
	}
	want := before + begin + settings.String() + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(current) != want {
		t.Errorf("%s is not what example.yaml says: go test ./config -update", page)
	}
}

// describe writes a section for each setting of a mapping.
func describe(to *strings.Builder, node *yaml.Node, prefix string) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		key := prefix + name.Value
		if value.Kind == yaml.MappingNode {
			describe(to, value, key+".")
			continue
		}
		initial := "`" + value.Value + "`"
		if value.Value == "" {
			initial = "empty"
		}
		variable, flag := config.Names(key)
		fmt.Fprintf(to, "### %s\n\nDefault: %s. Variable: `%s`. Flag: `--%s`.\n\n%s\n", key, initial, variable, flag, prose(name.HeadComment))
	}
}

// prose makes Markdown of a comment: what is indented is a list.
func prose(comment string) string {
	var out strings.Builder
	listed := false
	for line := range strings.Lines(comment) {
		text := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "#"), " ")
		indented := strings.HasPrefix(text, " ")
		switch {
		case indented && !listed:
			out.WriteString("\n```text\n")
		case !indented && listed:
			out.WriteString("```\n\n")
		}
		listed = indented
		out.WriteString(strings.TrimPrefix(text, "  ") + "\n")
	}
	if listed {
		out.WriteString("```\n")
	}
	return out.String()
}
