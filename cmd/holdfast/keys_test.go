package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/internal/pgtest"
)

// makeKey makes a key, adds its entry to a file, and returns its text.
func makeKey(t *testing.T, file string, args ...string) string {
	t.Helper()
	got := run(t, append([]string{"keys", "create", "--print", "--format=json"}, args...)...).expect(t, exitDone)
	var made shownKey
	if err := json.Unmarshal([]byte(got.stdout), &made); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		text = []byte("keys:\n")
	}
	text = append(text, strings.TrimPrefix(made.Entry, "keys:\n")...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return made.Key
}

// TestServeWithKeys calls a server that reads its keys from a file, with the commands of the program.
func TestServeWithKeys(t *testing.T) {
	t.Chdir(t.TempDir())
	file := filepath.Join(t.TempDir(), "keys.yaml")
	stock := makeKey(t, file, "--name=console", "--role=stock,sell", "--expires=90d")
	p := start(t, "--auth-keys-file="+file)
	server := "--server=" + p.url
	adjust := []string{"stock", "adjust", "--sku=A", "--location=b", "--delta=5", "--id=1", server}
	if got := run(t, adjust...).expect(t, exitRefused); !strings.Contains(got.stderr, "unauthenticated") || !strings.Contains(got.stderr, "the role stock") {
		t.Errorf("without a key: %s", got.stderr)
	}
	command{args: adjust, env: []string{"HOLDFAST_KEY=" + stock + "\n"}}.run(t).expect(t, exitDone)
	byFile := write(t, "key", stock+"\r\n")
	run(t, "stock", "show", "A", server, "--key-file="+byFile).expect(t, exitDone)
	run(t, "stock", "show", "A", server, "--key-file=/nowhere").expect(t, exitFailed)

	seller := makeKey(t, file, "--name=checkout", "--role=sell") // the server reads the file again
	deadline := time.Now().Add(patience)
	for {
		got := command{args: []string{"stock", "show", "A", server}, env: []string{"HOLDFAST_KEY=" + seller}}.run(t)
		if got.code == exitDone {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the new key is never accepted: %s", got.stderr)
		}
	}
	operator := makeKey(t, file, "--name=auditor", "--role=operate")
	for {
		request, err := http.NewRequestWithContext(t.Context(), "GET", p.url+"/v1/changes?limit=5", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+operator)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode == http.StatusOK {
			if !strings.Contains(string(text), `"kind":"stock","verb":"adjust","id":"1","actor":"console"`) || answer.Header.Get("X-Request-Id") == "" {
				t.Errorf("the changes: %s", text)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the changes are never answered: %s", text)
		}
	}
	got := command{args: adjust, env: []string{"HOLDFAST_KEY=" + seller}}.run(t).expect(t, exitRefused)
	if !strings.Contains(got.stderr, "forbidden") || !strings.Contains(got.stderr, "the role stock") {
		t.Errorf("with another role: %s", got.stderr)
	}
	if log := p.logs.String(); strings.Contains(log, seller) || strings.Contains(log, stock) {
		t.Errorf("the log has a key:\n%s", log)
	}
}

func TestKeysCreate(t *testing.T) {
	t.Chdir(t.TempDir())
	for args, want := range map[string]string{
		"--role=sell":                                   `name "": must be`,
		"--name=a":                                      "has no role: give it one or more of read, sell",
		"--name=a --role=admin":                         `there is no role "admin"`,
		"--name=a --role=stock --channel=web":           "acts on all channels",
		"--name=a --role=sell --expires=soon":           "--expires",
		"--name=a/b --role=sell":                        "must be",
		"--name=a --role=sell --requests-per-second=-1": "requests a second must be from 0",
	} {
		got := run(t, append([]string{"keys", "create", "--print"}, strings.Fields(args)...)...).expect(t, exitFailed)
		if !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %s", args, got.stderr)
		}
	}
	got := run(t, "keys", "create", "--print", "--name=checkout-eu", "--role=sell", "--channel=web").expect(t, exitDone)
	text := strings.TrimSpace(got.stdout)
	if id, err := keys.IDOf(text); err != nil || !strings.Contains(got.stderr, "id: "+id) || strings.Contains(got.stderr, text) {
		t.Errorf("%v\n%s\n%s", err, got.stdout, got.stderr)
	}
	run(t, "serve", "--http-listen=127.0.0.1:0", "--auth-keys-file="+write(t, "keys.yaml", "keys: [{id: x}]")).expect(t, exitFailed)
}

// TestKeysOfLedger makes, lists, rotates and revokes keys of a ledger.
func TestKeysOfLedger(t *testing.T) {
	t.Chdir(t.TempDir())
	env := []string{"HOLDFAST_POSTGRES_URL=" + pgtest.Start(t).URL()}
	do := func(want int, args string) ran {
		t.Helper()
		return command{args: append([]string{"keys"}, strings.Fields(args)...), env: env}.run(t).expect(t, want)
	}
	command{args: []string{"migrate"}, env: env}.run(t).expect(t, exitDone)
	text := strings.TrimSpace(do(exitDone, "create --name=checkout-eu --role=sell,ship --channel=web --expires=90d").stdout)
	id, err := keys.IDOf(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := do(exitRefused, "create --name=checkout-eu --role=sell"); !strings.Contains(got.stderr, "works already") {
		t.Errorf("%s", got.stderr)
	}
	next := strings.TrimSpace(do(exitDone, "rotate checkout-eu --overlap=2h").stdout)
	if nextID, err := keys.IDOf(next); err != nil || nextID == id {
		t.Errorf("%q %v", next, err)
	}
	do(exitRefused, "revoke checkout-eu") // there are two
	do(exitDone, "revoke "+id)
	do(exitDone, "revoke checkout-eu")
	do(exitRefused, "revoke checkout-eu")
	list := do(exitDone, "list")
	if !strings.Contains(list.stdout, id) || strings.Count(list.stdout, "revoked 20") != 2 || strings.Contains(list.stdout, text) {
		t.Errorf("%s", list.stdout)
	}
	var as struct{ Keys []shownKey }
	if err := json.Unmarshal([]byte(do(exitDone, "list --format=json").stdout), &as); err != nil || len(as.Keys) != 2 || as.Keys[0].RevokedBy == "" {
		t.Errorf("%v %+v", err, as)
	}
	run(t, "keys", "list").expect(t, exitFailed) // without Postgres
}
