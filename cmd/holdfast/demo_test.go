package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/internal/demo"
	"github.com/holdfast/holdfast/internal/redistest"
)

func TestDemo(t *testing.T) {
	got := run(t, "demo", "--buyers", "300", "--units", "20", "--duration", "2s").expect(t, exitDone)
	if !strings.HasSuffix(got.stdout, "\nOK: nothing oversold, nothing lost\n") {
		t.Errorf("wrong last line:\n%s", got.stdout)
	}
	if !strings.Contains(got.stdout, "300 buyers, 50 units of 4 SKUs at 3 locations. Redis: embedded. Seed: ") {
		t.Errorf("the description is missing:\n%s", got.stdout)
	}
	if !strings.Contains(got.stderr, "nothing survives a restart") || !strings.Contains(got.stderr, `"msg":"selling"`) {
		t.Errorf("the banner or the progress is missing:\n%s", got.stderr)
	}
}

func TestDemoJSON(t *testing.T) {
	server := redistest.Start(t)
	got := command{
		args: []string{"demo", "--buyers=300", "--units=20", "--duration=2s", "--seed=7", "--format=json", "--redis-url", server.URL()},
		env:  []string{"HOLDFAST_REDIS_URL=redis://127.0.0.1:1"}, // never listened to
	}.run(t).expect(t, exitDone).document(t)
	total, _ := got["total"].(map[string]any)
	findings, listed := got["findings"].([]any)
	if got["ok"] != true || got["seed"] != 7.0 || got["engine"] != server.URL()+"/0" || total["units"] != 50.0 ||
		total["oversold"] != 0.0 || total["drift"] != 0.0 || total["held"] != 0.0 || !listed || len(findings) != 0 {
		t.Errorf("got %v", got)
	}
	if skus, _ := got["skus"].([]any); len(skus) != 4 {
		t.Errorf("got %d SKUs", len(skus))
	}
}

func TestDemoRefuses(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--buyers", "0"}, "--buyers is 0"},
		{[]string{"--units=-1"}, "--units is -1"},
		{[]string{"--duration", "10ms"}, "--duration is 10ms, must be from 1s"},
		{[]string{"--config", "holdfast.yaml"}, "demo reads no configuration"},
		{[]string{"--redis-url", "http://h"}, "must begin with redis://"},
		{[]string{"--redis-url", "redis://127.0.0.1:1"}, "redis://127.0.0.1:1/0 does not answer"},
		{[]string{"more"}, "one argument too many"},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			got := run(t, append([]string{"demo"}, test.args...)...).expect(t, exitFailed)
			if got.stdout != "" || !strings.Contains(got.stderr, test.want) {
				t.Errorf("got %+v, want %q", got, test.want)
			}
		})
	}
}

func TestDemoExitCode(t *testing.T) {
	failed := &demo.FailedError{Findings: []demo.Finding{{Check: "oversold", Detail: "CAP at berlin: 2 units sold of 1"}}}
	if code := exitCode(errors.Join(failed, nil)); code != exitRefused {
		t.Errorf("exit %d, want %d", code, exitRefused)
	}
}
