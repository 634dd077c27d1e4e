package doctest

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestGo checks that each go block is part of an Example, so that go test compiles it.
func TestGo(t *testing.T) {
	bodies := examples(t)
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if b.language == "go" && !strings.Contains(bodies, dedented(b.text)) {
				t.Errorf("%s:%d: this is not in the body of an Example, word for word", page, b.line)
			}
		}
	}
}

// examples returns the bodies of all Examples.
func examples(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Example") {
				all.WriteString(dedented(string(text[set.Position(f.Body.Lbrace).Offset+1 : set.Position(f.Body.Rbrace).Offset])))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// dedented drops the indentation, because a block may be nested in its Example.
func dedented(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestYAML checks that each yaml block can be read.
func TestYAML(t *testing.T) {
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if b.language != "yaml" {
				continue
			}
			decoder := yaml.NewDecoder(bytes.NewReader([]byte(b.text)))
			for {
				var document any
				if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s:%d: %v", page, b.line, err)
				}
			}
		}
	}
}

var (
	codeSpan = regexp.MustCompile("`[^`\n]+`")
	command  = regexp.MustCompile(`\bholdfast ([a-z].*)`)
	word     = regexp.MustCompile(`^[a-z]+$`)
	flagName = regexp.MustCompile(`--[a-z][a-z-]*`)
)

// TestCommands checks that commands and flags exist that a page only names.
func TestCommands(t *testing.T) {
	for _, page := range pages(t) {
		shown := codeSpan.FindAllString(fenced.ReplaceAllString(string(read(t, page)), ""), -1)
		for _, b := range blocks(t, page) {
			if b.language == "text" || b.language == "ini" {
				shown = append(shown, strings.Split(b.text, "\n")...)
			}
		}
		for _, line := range shown {
			match := command.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			words := strings.Fields(strings.Trim(match[1], "`"))
			if i := slices.IndexFunc(words, func(w string) bool { return !word.MatchString(w) }); i >= 0 {
				words = words[:i]
			}
			name := strings.Join(words, " ")
			help, err := exec.Command(filepath.Join(bin, "holdfast"), append(words, "--help")...).CombinedOutput()
			if err != nil || !strings.Contains(string(help), "holdfast "+name+" ") {
				t.Errorf("%s: %q: there is no command %q", page, line, name)
			}
			for _, name := range flagName.FindAllString(match[1], -1) {
				if !strings.Contains(string(help), name+" ") {
					t.Errorf("%s: %q: there is no flag %s", page, line, name)
				}
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks checks that each link to a file or heading of this repository has a target.
func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		text := fenced.ReplaceAllString(string(read(t, page)), "")
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(match[1], ":") {
				continue // another site
			}
			file, anchor, _ := strings.Cut(match[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			} else if anchor != "" && !anchors(string(read(t, target)))[anchor] {
				t.Errorf("%s links to %s, which has no such heading", page, match[1])
			}
		}
	}
}

// anchors returns the names by which GitHub links to the headings of a page.
func anchors(page string) map[string]bool {
	names := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		name := dropped.ReplaceAllString(strings.ToLower(match[1]), "")
		names[strings.ReplaceAll(name, " ", "-")] = true
	}
	return names
}

var (
	inModule   = regexp.MustCompile(`^(?:cache|cmd|config|docs|examples|internal|loadtest|location|lua|reconcile)/[\w./-]*$`)
	identifier = regexp.MustCompile(`^(?:\w+\.)?([A-Za-z_]\w*)$`)
)

// TestFiles checks that each file and folder that a page names exists. In a table, each name that follows a
// Go or Lua file must be a function of that file.
func TestFiles(t *testing.T) {
	for _, page := range append(pages(t), "CONTRIBUTING.md") {
		for line := range strings.Lines(fenced.ReplaceAllString(string(read(t, page)), "")) {
			var file string // the last one that the line has named
			for _, span := range codeSpan.FindAllString(line, -1) {
				name := strings.Trim(span, "`")
				if inModule.MatchString(name) {
					file = name
					if _, err := os.Stat(filepath.Join(root, name)); err != nil && name != "loadtest/results/flash_sale.html" {
						t.Errorf("%s names %s, which does not exist", page, name)
						file = ""
					}
					continue
				}
				match := identifier.FindStringSubmatch(name)
				isCode := filepath.Ext(file) == ".go" || filepath.Ext(file) == ".lua"
				if !strings.HasPrefix(line, "|") || match == nil || !isCode {
					continue
				}
				if ok, _ := regexp.Match(`(?m)\bfunc(tion)?\b.*\b`+match[1]+`[(\[]`, read(t, file)); !ok {
					t.Errorf("%s says that %s has a function %s", page, file, match[1])
				}
			}
		}
	}
}

var logText = regexp.MustCompile(`\blog says ("[^"]+"|.{0,20})`)

// TestLogTexts checks that each log text that a page quotes is a text of the program. A text that a page
// describes in other words cannot be checked, so it must be quoted.
func TestLogTexts(t *testing.T) {
	texts := literals(t)
	seen := 0
	for _, page := range pages(t) {
		for _, match := range logText.FindAllStringSubmatch(string(read(t, page)), -1) {
			seen++
			if quoted := strings.Trim(match[1], `"`); quoted == match[1] || !strings.Contains(texts, quoted) {
				t.Errorf("%s: the log never says %s", page, match[1])
			}
		}
	}
	if seen == 0 {
		t.Error("no page quotes a log text: change the pattern with the pages")
	}
}

// literals returns the string literals of the program, one after another. So the parts of a text that the
// code joins with + are one text.
func literals(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, _ := strconv.Unquote(literal.Value) // the parser has checked it
				all.WriteString(text)
			}
			return true
		})
		all.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

var (
	selected = regexp.MustCompile(`-(run|bench) '?([\w^$|.]+)`)
	inTests  = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	testName = regexp.MustCompile("`((?:Test|Benchmark|Fuzz)[A-Z]\\w+)")
	folder   = regexp.MustCompile(`\s\./([\w/]+)`)
)

// TestSelections checks that each -run and -bench in a page selects a test or a benchmark of the named
// packages, and that each test that a page names exists.
func TestSelections(t *testing.T) {
	all := testNames(t, ".")
	for _, page := range append(pages(t), "CONTRIBUTING.md") {
		for line := range strings.Lines(string(read(t, page))) {
			for _, match := range testName.FindAllStringSubmatch(line, -1) {
				if !slices.Contains(all, match[1]) {
					t.Errorf("%s names %s, which does not exist", page, match[1])
				}
			}
			for _, match := range selected.FindAllStringSubmatch(line, -1) {
				if match[2] == "^$" { // no test
					continue
				}
				in := "."
				if named := folder.FindStringSubmatch(line); named != nil {
					in = named[1]
				}
				prefix, pattern := map[string]string{"run": "Test", "bench": "Benchmark"}[match[1]], regexp.MustCompile(match[2])
				if !slices.ContainsFunc(testNames(t, in), func(name string) bool {
					return strings.HasPrefix(name, prefix) && pattern.MatchString(name)
				}) {
					t.Errorf("%s: %s selects nothing in ./%s", page, match[0], in)
				}
			}
		}
	}
}

// testNames lists the tests and benchmarks in a folder of the module and below.
func testNames(t *testing.T, in string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, in), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range inTests.FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestPackages checks that docs/architecture.md explains every package.
func TestPackages(t *testing.T) {
	page := string(read(t, "docs/architecture.md"))
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		sources, err := filepath.Glob(filepath.Join(path, "*.go"))
		name := strings.TrimPrefix(filepath.ToSlash(path), root+"/")
		if len(sources) > 0 && !strings.HasPrefix(name, "examples/") && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/architecture.md does not name the package %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestMap checks that docs/README.md lists every page.
func TestMap(t *testing.T) {
	whole := string(read(t, "docs/README.md"))
	for _, page := range pages(t) {
		name, inDocs := strings.CutPrefix(page, "docs/")
		if inDocs && name != "README.md" && !strings.Contains(whole, "("+name+")") {
			t.Errorf("docs/README.md does not list %s", name)
		}
	}
}
