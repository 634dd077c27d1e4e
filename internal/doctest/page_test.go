package doctest

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the folder of the module.
const root = "../.."

// block is a fenced block of a page.
type block struct {
	language string
	options  string // what follows the language
	text     string // ends in a newline
	line     int    // of its first line in the page, from 1
}

// pages returns the pages whose snippets are checked, by their names from the root.
func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		name, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// read returns the text of a page.
func read(t *testing.T, page string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// blocks returns the fenced blocks of a page.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	var (
		all     []block
		current *block
		line    int
	)
	for lines := bufio.NewScanner(bytes.NewReader(read(t, page))); lines.Scan(); {
		line++
		fence, fenced := strings.CutPrefix(lines.Text(), "```")
		switch {
		case fenced && current == nil:
			language, options, _ := strings.Cut(fence, " ")
			current = &block{language: language, options: options, line: line + 1}
		case fenced:
			all, current = append(all, *current), nil
		case current != nil:
			current.text += lines.Text() + "\n"
		}
	}
	if current != nil {
		t.Fatalf("%s:%d: the block does not end", page, current.line)
	}
	return all
}
