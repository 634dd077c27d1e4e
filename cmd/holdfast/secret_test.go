package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/config"
)

// marker is a secret. No output may contain it.
const marker = "hunter2"

// The places in which a URL may have a secret, by mistake or not. Nothing listens on port 1.
var (
	redisPlaces = []string{
		"redis://:hunter2@127.0.0.1:1", "redis://hunter2@127.0.0.1:1", "redis://u:hunter2@127.0.0.1:1/0",
		"redis://127.0.0.1:1,password=hunter2,ssl=True", "127.0.0.1:1,password=hunter2", "redis://127.0.0.1:1/hunter2",
		"redis://127.0.0.1:hunter2", "redis://127.0.0.1:1?password=hunter2", "redis://127.0.0.1:1/0#hunter2",
		"unix:///run/redis.sock?password=hunter2", "unix://u:hunter2@/run/redis.sock", "redis://u:hun/hunter2@127.0.0.1:1",
		"redis+sentinel://:hunter2@127.0.0.1:1/main", "redis://u:%zzhunter2@h", "redis://%zzhunter2:p@h",
		"redis://[hunter2]", "redis://[::1%hunter2=]:1", "redis://127.0.0.1:1\nhunter2", "redis://h ost:1/hunter2",
		"hunter2", "hunter2://127.0.0.1:1", "//u:hunter2@127.0.0.1:1", `"redis://:hunter2@127.0.0.1:1"`,
	}
	postgresPlaces = []string{
		"postgres://u:hunter2@127.0.0.1:1/x", "postgres://hunter2@127.0.0.1:1/x", "postgres://127.0.0.1:1/hunter2",
		"postgres://127.0.0.1:1/x?password=hunter2", "postgres://127.0.0.1:1/x?nonsense=hunter2",
		"postgres://127.0.0.1:1/x?sslmode=hunter2", "postgres://127.0.0.1:1/x?connect_timeout=hunter2",
		"postgres://127.0.0.1:1/x?options=-c%20hunter2", "postgres://127.0.0.1:1/x?pool_max_conns=hunter2",
		"postgres://127.0.0.1:1/x?sslcert=hunter2&sslkey=hunter2", "postgres://127.0.0.1:1/x?sslrootcert=hunter2",
		"postgres://127.0.0.1:1/x?service=hunter2", "postgres://127.0.0.1:1/x?target_session_attrs=hunter2",
		"postgres://127.0.0.1:1/a hunter2?sslmode=no", "postgres://127.0.0.1:hunter2/x", "postgres://u:%zzhunter2@h/x",
		"postgres://127.0.0.1,password=hunter2/x", "postgres://127.0.0.1:1/x?host=127.0.0.1%20password=hunter2",
		"host=127.0.0.1 password=hunter2", "mysql://u:hunter2@127.0.0.1/x", "hunter2", "postgres:hunter2",
	}
	serverPlaces = []string{
		"http://u:hunter2@127.0.0.1:1", "http://u:hunter2@bad host/", "http://hunter2@127.0.0.1:1", "http://127.0.0.1:1/hunter2",
		"http://127.0.0.1:hunter2", "http://127.0.0.1:1/?token=hunter2", "http://127.0.0.1:1/#hunter2", "hunter2",
		"u:hunter2@127.0.0.1", "http://127.0.0.1,password=hunter2", "ftp://u:hunter2@127.0.0.1", "http://%zzhunter2@127.0.0.1",
	}
)

// TestSecretsAreHidden runs commands with a secret in every place of every URL.
func TestSecretsAreHidden(t *testing.T) {
	t.Chdir(t.TempDir())
	check := func(t *testing.T, c command) {
		t.Helper()
		got := c.run(t)
		if text := got.stdout + got.stderr; got.code == exitDone || strings.Contains(text, marker) {
			t.Errorf("%q: exit %d\n%s", c, got.code, text)
		}
	}
	const redisDown, postgresDown = "HOLDFAST_REDIS_URL=redis://127.0.0.1:1", "HOLDFAST_POSTGRES_URL=postgres://127.0.0.1:1/x"
	t.Run("redis.url", func(t *testing.T) {
		for _, url := range redisPlaces {
			env := []string{"HOLDFAST_REDIS_URL=" + url, postgresDown}
			for _, args := range []string{"doctor", "reconcile audit", "bench", "doctor --format=json"} {
				check(t, command{args: strings.Fields(args), env: env})
			}
			check(t, command{args: []string{"demo", "--redis-url", url}})
			check(t, command{args: []string{"doctor", "-redis-url=" + url}})
		}
	})
	t.Run("postgres.url", func(t *testing.T) {
		for _, url := range postgresPlaces {
			env := []string{"HOLDFAST_POSTGRES_URL=" + url, redisDown}
			for _, args := range []string{"doctor", "migrate", "reconcile audit", "bench", "reconcile prune --dry-run"} {
				check(t, command{args: strings.Fields(args), env: env})
			}
		}
	})
	t.Run("server", func(t *testing.T) {
		for _, url := range serverPlaces {
			check(t, command{args: []string{"stock", "show", "A", "--server", url}})
			check(t, command{args: []string{"reservations", "list"}, env: []string{"HOLDFAST_SERVER=" + url}})
		}
		check(t, command{args: []string{"stock", "show", "A", "--server", respond(t, 404, "text/html", "") + "/" + marker}})
	})
	t.Run("the wrong place", func(t *testing.T) {
		for _, url := range append(redisPlaces[:9:9], "redis://:hunter2\xff@h") {
			for _, args := range [][]string{{url}, {"stock", url}, {"doctor", url}, {"stock", "show", "A", url}, {"doctor", "--=" + url}} {
				check(t, command{args: args})
			}
			check(t, command{args: []string{"demo", "--buyers", url}})
			check(t, command{args: []string{"demo", "--duration", url}})
			check(t, command{args: []string{"version", "--format", url}})
			check(t, command{args: []string{"doctor"}, env: []string{"HOLDFAST_HTTP_LISTEN=" + url}})
			check(t, command{args: []string{"doctor"}, env: []string{"HOLDFAST_CONFIRM_WAIT=" + url}})
		}
	})
	t.Run("the configuration file", func(t *testing.T) {
		for _, text := range []string{
			"redis: {url: *hunter2}", "redis: {url: {hunter2: 1}}", "redis: {url: [hunter2]}", "redis: hunter2",
			"hunter2", "redis://u:hunter2@h: 1", "redis: {url: !!int hunter2}", "redis:\n  url: redis://u:hunter2@h\n url: 1",
			"redis: {url: 'redis://h/hunter2'}", "postgres: {url: \"postgres://u:hunter2@h:hunter2/\"}", "'hunter2': {a: 1}\n'hunter2': 2",
			"redis: {url: `hunter2`}", "[hunter2]: 1",
		} {
			check(t, command{args: []string{"doctor", "--config", write(t, "holdfast.yaml", text)}})
		}
	})
}

// FuzzSecrets puts a secret between two texts. Nothing is dialled.
func FuzzSecrets(f *testing.F) {
	for _, places := range [][]string{redisPlaces, postgresPlaces, serverPlaces} {
		for _, place := range places {
			before, after, _ := strings.Cut(place, marker)
			f.Add(before, after)
		}
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		value := before + marker + after
		for _, key := range []string{"REDIS_URL", "POSTGRES_URL", "HTTP_LISTEN", "CONFIRM_WAIT", "HTTP_ALLOW_INSECURE"} {
			if urlLike := strings.HasSuffix(key, "_URL") || strings.ContainsAny(value, "@=") || strings.Contains(value, "://"); !urlLike {
				continue
			}
			c, err := config.Load(nil, "/dev/null", []string{"HOLDFAST_" + key + "=" + value})
			text := fmt.Sprintf("%v %v %+v %#v %d", err, c, c, c.Postgres, c.Postgres.URL)
			for _, host := range c.Redis.Endpoint.Hosts {
				text = strings.ReplaceAll(text, host, "") // hosts are printed
			}
			if strings.Contains(text, marker) {
				t.Errorf("%s=%q prints %s", key, value, text)
			}
			if err == nil && c.Postgres.URL != "" {
				if ledger, err := openPostgres(c); err == nil {
					ledger.Close()
				} else if strings.Contains(err.Error(), marker) {
					t.Errorf("%q prints %v", value, err)
				}
			}
		}
		if !strings.Contains(value, "://") {
			return
		}
		for _, args := range [][]string{{value}, {"doctor", "-x=" + value}, {"version", value}, {"demo", "--seed=" + value}} {
			var text strings.Builder
			m := &Main{Args: args, Stdout: &text, Stderr: &text, Stdin: io.MultiReader()}
			if m.Run(t.Context()); strings.Contains(text.String(), marker) {
				t.Errorf("%q prints %s", args, text.String())
			}
		}
	})
}
