package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestStatusWords checks that status.go and lua/status.lua list the same words in the same order.
func TestStatusWords(t *testing.T) {
	inGo, inLua := statusWordsInGo(t), statusWordsInLua(t)
	for _, word := range inGo {
		if !slices.Contains(inLua, word) {
			t.Errorf("%q is in status.go and not in lua/status.lua", word)
		}
	}
	for _, word := range inLua {
		if !slices.Contains(inGo, word) {
			t.Errorf("%q is in lua/status.lua and not in status.go", word)
		}
	}
	if !t.Failed() && !slices.Equal(inGo, inLua) {
		t.Errorf("the order differs: status.go has\n%v, lua/status.lua has\n%v", inGo, inLua)
	}
	if len(inLua) == 0 {
		t.Error("no words found in lua/status.lua")
	}
}

// statusWordsInGo returns the values of the constants in status.go.
func statusWordsInGo(t *testing.T) (words []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "status.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for _, value := range spec.Values {
				word, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				words = append(words, word)
			}
		}
		return true
	})
	return words
}

// statusWordsInLua returns the words in the table that lua/status.lua returns.
func statusWordsInLua(t *testing.T) (words []string) {
	t.Helper()
	text, err := os.ReadFile("../../lua/status.lua")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "return {")
	for _, match := range regexp.MustCompile(`'(\w+)'`).FindAllStringSubmatch(table, -1) {
		words = append(words, match[1])
	}
	return words
}

// TestPartsMax checks that lua/allocation.lua has the same limit.
func TestPartsMax(t *testing.T) {
	text, err := os.ReadFile("../../lua/allocation.lua")
	if err != nil {
		t.Fatal(err)
	}
	if want := "local PARTS_MAX = " + strconv.Itoa(PartsMax) + " "; !strings.Contains(string(text), want) {
		t.Errorf("lua/allocation.lua lacks %q", want)
	}
}
