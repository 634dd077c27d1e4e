package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// linesMax is the most lines of a function, and of a test.
const linesMax = 90

// TestFunctions checks that no function is too long to read.
func TestFunctions(t *testing.T) {
	set, seen := token.NewFileSet(), 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			seen++
			if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > linesMax {
				t.Errorf("%s: %s has %d lines, at most %d are allowed: split it, or move its table out", path, f.Name.Name, n, linesMax)
			}
		}
		return nil
	})
	if err != nil || seen < 1000 {
		t.Fatalf("%d functions were read: %v", seen, err)
	}
}
