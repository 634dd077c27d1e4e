package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

func TestBench(t *testing.T) {
	page := write(t, "bench.html", strings.Repeat("the page of another day", 10_000))
	profile := filepath.Join(t.TempDir(), "bench.pprof")
	got := command{
		args: []string{"bench", "--scenario=hot,scale", "--contender=library,usual,update", "--levels=20", "--held=10", "--callers=4",
			"--rounds=1", "--duration=20ms", "--seed=7", "--format=json", "--html", page, "--cpu-profile", profile},
		env: []string{"HOLDFAST_REDIS_URL=" + redistest.Start(t).URL(), "HOLDFAST_POSTGRES_URL=" + pgtest.Start(t).URL()},
	}.run(t).expect(t, exitDone).document(t)
	comparisons, _ := got["comparisons"].([]any)
	if got["seed"] != 7.0 || got["callers"] != 4.0 || len(comparisons) != 2 {
		t.Errorf("got %v", got)
	}
	text, err := os.ReadFile(page)
	if err != nil || !strings.HasSuffix(string(text), "</html>\n") || strings.Contains(string(text), "another day") {
		t.Errorf("the page is %d bytes: %v", len(text), err)
	}
	if text, err := os.ReadFile(profile); err != nil || !bytes.HasPrefix(text, []byte("\x1f\x8b")) { // gzip
		t.Errorf("the profile is %d bytes: %v", len(text), err)
	}
}

func TestBenchRefuses(t *testing.T) {
	const redisAt, postgresAt = "HOLDFAST_REDIS_URL=redis://127.0.0.1:1", "HOLDFAST_POSTGRES_URL=postgres://127.0.0.1:1/none"
	for _, test := range []struct {
		args []string
		env  []string
		want string
	}{
		{nil, nil, "redis.url is empty: set it"},
		{nil, []string{redisAt}, "postgres.url"},
		{nil, []string{redisAt, postgresAt}, "redis://127.0.0.1:1/0 does not answer"},
		{nil, []string{"HOLDFAST_REDIS_URL=redis://127.0.0.1:1,127.0.0.1:2", postgresAt}, "name one host"},
		{[]string{"--html", filepath.Join(t.TempDir(), "none", "bench.html")}, []string{redisAt, postgresAt}, "no such file"},
		{[]string{"--cpu-profile", filepath.Join(t.TempDir(), "none", "bench.pprof")}, []string{redisAt, postgresAt}, "no such file"},
		{[]string{"--scenario", "cold"}, nil, `there is no scenario "cold"; there are hot, skus`},
		{[]string{"--contender", "us"}, nil, `there is no contender "us"; there are library, http`},
		{[]string{"--callers", "0"}, nil, "callers is 0, must be from 1"},
		{[]string{"--levels", "1000"}, nil, "--levels has 1 numbers and --held has 2"},
		{[]string{"more"}, nil, "one argument too many"},
	} {
		t.Run(strings.Join(append(test.args, test.env...), " "), func(t *testing.T) {
			got := command{args: append([]string{"bench"}, test.args...), env: test.env}.run(t).expect(t, exitFailed)
			if got.stdout != "" || !strings.Contains(got.stderr, test.want) {
				t.Errorf("got %+v, want %q", got, test.want)
			}
		})
	}
}
