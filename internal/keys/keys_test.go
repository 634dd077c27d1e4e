package keys

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestIDOf finds every typing error of one character.
func TestIDOf(t *testing.T) {
	for range 50 {
		id, text := Generate()
		if got, err := IDOf(text); got != id || err != nil {
			t.Fatalf("%q %v, want %q", got, err, id)
		}
		for i := range text {
			for _, c := range []string{"", "a", "b", "7", "_", "A", "\x00", "é"} {
				wrong := text[:i] + c + text[i+1:]
				if wrong == text {
					continue
				}
				if got, err := IDOf(wrong); err != ErrMistyped {
					t.Fatalf("%q: %q %v", wrong, got, err)
				}
			}
		}
	}
	if _, a := Generate(); len(a) != keyBytes || strings.ToLower(a) != a {
		t.Errorf("key %q", a)
	}
}

func TestFile(t *testing.T) {
	id, text := Generate()
	key := Key{ID: id, Name: "checkout-eu", Roles: []Role{Sell, Ship}, Channels: []string{"web"}, Hash: HashOf(text), Rate: 7,
		ExpiresAt: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}
	written := EncodeFile(&key)
	got, err := DecodeFile([]byte(written))
	if err != nil || !reflect.DeepEqual(got, []Key{key}) || strings.Contains(written, text) {
		t.Errorf("%v %v\n%s", got, err, written)
	}
	if got, err := DecodeFile(nil); err != nil || len(got) != 0 {
		t.Errorf("an empty file: %v %v", got, err)
	}
	for wrong, want := range map[string]string{
		written + strings.TrimPrefix(written, "keys:\n"):          "is there twice",
		"keys: [{id: " + id + ", name: a, roles: [sell]}]":        "has no hash",
		"keys: [{id: x, hash: " + strings.Repeat("ab", 32) + "}]": "id \"x\"",
		"keys: [{hash: abc}]":                                     "64 hexadecimal digits",
		"keys: [{secret: abc}]":                                   "not found in type",
		"- a":                                                     "is not a file of keys",
	} {
		if _, err := DecodeFile([]byte(wrong)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// TestFollow changes and breaks a file, and expects the keys that were read last.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	put := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	id, text := Generate()
	key := Key{ID: id, Name: "a", Roles: []Role{Sell}, Hash: HashOf(text), Rate: 1}
	f := &Follow{Ring: &Ring{}, Sources: []Source{File{path}}, Logger: slog.New(slog.DiscardHandler)}
	now := time.Now()
	check := func(name string, want error) *Caller {
		t.Helper()
		c, err := f.Ring.Check(text, now)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		return c
	}
	if err := f.Once(t.Context()); err == nil {
		t.Error("a missing file was read")
	}
	check("before the first read", ErrNotRead)
	put(EncodeFile(&key))
	if err := f.Once(t.Context()); err != nil {
		t.Error(err)
	}
	if c := check("with the key", nil); !c.Allow(now) || c.Allow(now) {
		t.Error("not one request a second")
	}
	put("keys: [")
	if err := f.Once(t.Context()); err == nil {
		t.Error("a broken file was read")
	}
	if c := check("with a broken file", nil); c.Allow(now) {
		t.Error("reading the keys again began a new second")
	}
	put("keys: []")
	if err := f.Once(t.Context()); err != nil {
		t.Error(err)
	}
	check("without the key", ErrUnknown)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f.Run(ended)
}
