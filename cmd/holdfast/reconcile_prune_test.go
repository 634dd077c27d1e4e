package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"90d": 90 * day, "36h": 36 * time.Hour, "1d": day} {
		var a age
		if err := a.Set(text); err != nil || time.Duration(a) != want {
			t.Errorf("%s: %v %v", text, a, err)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "1.5d", "90", "0h", "-3h", "36500d"} {
		var a age
		if err := a.Set(text); err == nil {
			t.Errorf("%s is %v", text, a)
		}
	}
}

func TestPruneRefuses(t *testing.T) {
	for args, said := range map[string]string{
		"":                            "--archive is missing: name a file, or use --dry-run",
		"--dry-run --older-than 36h":  "--older-than is 36h0m0s, must be at least 48h0m0s: a day, and twice reservation.retention",
		"--dry-run --older-than soon": "must be days or a duration",
		"--dry-run":                   "postgres.url is empty",
		"--dry-run --postgres-url=postgres://u@h": "", // as far as the database
	} {
		got := run(t, append([]string{"reconcile", "prune"}, strings.Fields(args)...)...).expect(t, exitFailed)
		if !strings.Contains(got.stderr, said) {
			t.Errorf("%s: %q", args, got.stderr)
		}
	}
}

func TestArchiveFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl.gz")
	a := &archiveFile{path: path}
	if err := a.Sync(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file exists before the first write")
	}
	for _, line := range []string{`{"n": 1}`, `{"n": 2}`} {
		if _, err := a.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := unzipped(t, path); len(got) != 2 || !json.Valid([]byte(got[1])) {
		t.Errorf("after Sync there is %q", got)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again := &archiveFile{path: path}
	if _, err := again.Write([]byte("x")); err == nil || !strings.Contains(err.Error(), "exists: name a new file") {
		t.Errorf("got %v", err)
	}
	if got := unzipped(t, path); len(got) != 2 {
		t.Errorf("it has %q", got)
	}
}

// unzipped returns the lines of a gzip file that may be incomplete.
func unzipped(t *testing.T, path string) (lines []string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for scanner := bufio.NewScanner(text); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return lines
}
