package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
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
		for _, place := range redisPlaces {
			env := []string{"HOLDFAST_REDIS_URL=" + place, postgresDown}
			for _, args := range []string{"doctor", "reconcile audit", "bench", "doctor --format=json"} {
				check(t, command{args: strings.Fields(args), env: env})
			}
			check(t, command{args: []string{"demo", "--redis-url", place}})
			check(t, command{args: []string{"doctor", "-redis-url=" + place}})
		}
	})
	t.Run("postgres.url", func(t *testing.T) {
		for _, place := range postgresPlaces {
			env := []string{"HOLDFAST_POSTGRES_URL=" + place, redisDown}
			for _, args := range []string{"doctor", "migrate", "reconcile audit", "bench", "reconcile prune --dry-run"} {
				check(t, command{args: strings.Fields(args), env: env})
			}
		}
	})
	t.Run("server", func(t *testing.T) {
		for _, place := range serverPlaces {
			check(t, command{args: []string{"stock", "show", "A", "--server", place}})
			check(t, command{args: []string{"reservations", "list"}, env: []string{"HOLDFAST_SERVER=" + place}})
		}
		check(t, command{args: []string{"stock", "show", "A", "--server", respond(t, 404, "text/html", "") + "/" + marker}})
	})
	t.Run("the wrong place", func(t *testing.T) {
		for _, place := range append(redisPlaces[:9:9], "redis://:hunter2\xff@h") {
			for _, args := range [][]string{{place}, {"stock", place}, {"doctor", place}, {"stock", "show", "A", place}, {"doctor", "--=" + place}} {
				check(t, command{args: args})
			}
			check(t, command{args: []string{"demo", "--buyers", place}})
			check(t, command{args: []string{"demo", "--duration", place}})
			check(t, command{args: []string{"version", "--format", place}})
			check(t, command{args: []string{"doctor"}, env: []string{"HOLDFAST_HTTP_LISTEN=" + place}})
			check(t, command{args: []string{"doctor"}, env: []string{"HOLDFAST_CONFIRM_WAIT=" + place}})
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

// TestSecretsAreHiddenByServers runs commands on servers that answer, and refuse the secret.
func TestSecretsAreHiddenByServers(t *testing.T) {
	t.Chdir(t.TempDir())
	redisAt, postgresAt := redistest.Start(t).URL(), pgtest.Start(t).URL()
	at, err := url.Parse(postgresAt)
	if err != nil {
		t.Fatal(err)
	}
	user, database, option := *at, *at, *at
	user.User = url.UserPassword(marker, marker)
	database.Path = "/" + marker
	option.RawQuery += "&search_path=x&statement_timeout=" + marker
	host := strings.TrimPrefix(redisAt, "redis://")
	for _, env := range [][2]string{
		{redisAt, user.String()}, {redisAt, database.String()}, {redisAt, option.String()},
		{"redis://:hunter2@" + host, postgresAt}, {"redis://hunter2:hunter2@" + host, postgresAt}, {"redis://" + host + "/65000", user.String()},
	} {
		for _, args := range []string{"doctor", "migrate", "bench --rounds=1 --duration=100ms --scenario=hot --contender=library", "doctor --format=json"} {
			got := command{args: strings.Fields(args), env: []string{"HOLDFAST_REDIS_URL=" + env[0], "HOLDFAST_POSTGRES_URL=" + env[1]}}.run(t)
			if text := got.stdout + got.stderr; strings.Contains(text, marker) || args == "doctor" && got.code == exitDone {
				t.Errorf("%s with %v: exit %d\n%s", args, env, got.code, text)
			}
		}
	}
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
		for _, key := range []string{"REDIS_URL", "POSTGRES_URL", "HTTP_LISTEN", "CONFIRM_WAIT", "AUTH_MODE"} {
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
