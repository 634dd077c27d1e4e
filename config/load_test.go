package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/holdfast/holdfast/config"
)

// source is the input of Load in a test.
type source struct {
	file  string // text of the file; "" for none
	env   []string
	flags []string
}

func (s source) load(t *testing.T) (config.Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if s.file != "" {
		if err := os.WriteFile(config.FileDefault, []byte(s.file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(s.flags); err != nil {
		t.Fatal(err)
	}
	return config.Load(flags, "", s.env)
}

func TestLoadDefaults(t *testing.T) {
	got, err := source{}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		HTTP:        config.HTTP{Listen: "127.0.0.1:8080"},
		Redis:       config.Redis{Prefix: "holdfast", Shards: 1},
		Postgres:    config.Postgres{PageConnections: 4},
		Reservation: config.Reservation{TTL: 10 * time.Minute, TTLMax: 24 * time.Hour, Retention: 24 * time.Hour},
		Reconcile:   config.Reconcile{BacklogMax: 250_000},
		Confirm:     config.Confirm{Wait: 5 * time.Second},
		Log:         config.Log{Format: config.LogAuto},
		Auth:        config.Auth{Mode: config.AuthOff, OIDC: config.OIDC{Claim: "roles"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestLoadPrecedence(t *testing.T) {
	const file = "redis: {prefix: file}\n"
	env, flags := []string{"HOLDFAST_REDIS_PREFIX=env"}, []string{"--redis-prefix=flag"}
	for name, c := range map[string]struct {
		source
		want string
	}{
		"default":                      {source{}, "holdfast"},
		"file":                         {source{file: file}, "file"},
		"file with a dotted key":       {source{file: "redis.prefix: dotted\n"}, "dotted"},
		"file with an empty value":     {source{file: "redis: {prefix: }\n"}, "holdfast"},
		"variable over file":           {source{file: file, env: env}, "env"},
		"variable over dotted file":    {source{file: "redis.prefix: dotted\n", env: env}, "env"},
		"an empty variable is not set": {source{file: file, env: []string{"HOLDFAST_REDIS_PREFIX="}}, "file"},
		"flag over variable and file":  {source{file: file, env: env, flags: flags}, "flag"},
		"a value keeps its case":       {source{env: []string{"HOLDFAST_REDIS_PREFIX=MiXed"}}, "MiXed"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.load(t)
			if err != nil {
				t.Fatal(err)
			}
			if got.Redis.Prefix != c.want {
				t.Errorf("prefix is %q, want %q", got.Redis.Prefix, c.want)
			}
		})
	}
}

func TestLoadAllowed(t *testing.T) {
	for name, s := range map[string]source{
		"loopback v6":              {env: []string{"HOLDFAST_HTTP_LISTEN=[::1]:0"}},
		"localhost":                {env: []string{"HOLDFAST_HTTP_LISTEN=localhost:1"}},
		"keys beyond loopback":     {flags: []string{"--http-listen=:80", "--redis-url=redis://r"}},
		"keys in a file":           {flags: []string{"--auth-mode=keys", "--auth-keys-file=keys.yaml"}},
		"off with a Redis":         {flags: []string{"--auth-mode=off", "--redis-url=redis://r"}},
		"the client's key":         {env: []string{"HOLDFAST_KEY=hf_x_y"}},
		"the client's server":      {env: []string{"HOLDFAST_SERVER=http://x"}},
		"other variables":          {env: []string{"PATH=/bin", "HOLDFASTER=1", "=C:=x"}},
		"Kubernetes service links": {env: []string{"HOLDFAST_SERVICE_HOST=10.0.0.1", "HOLDFAST_PORT=tcp://10.0.0.1:80", "HOLDFAST_REDIS_PORT_6379_TCP_ADDR=10.0.0.2", "HOLDFAST_SERVICE_PORT_HTTP=80"}},
		"an empty file":            {file: "# nothing\n"},
		"a ttl equal to ttl_max":   {file: "reservation: {ttl: 24h}\n"},
		"sold_out_cache minimum":   {file: "sold_out_cache: 1ms\n"},
		"sold_out_cache maximum":   {flags: []string{"--sold-out-cache=1s"}},
		"sold_out_cache off":       {env: []string{"HOLDFAST_SOLD_OUT_CACHE=0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.load(t); err != nil {
				t.Error(err)
			}
		})
	}
}

func env(pairs ...string) source { return source{env: pairs} }

func file(text string) source { return source{file: text} }

func TestLoadAccessFaults(t *testing.T) {
	for name, c := range map[string]struct {
		source
		want string
	}{
		"a certificate without key": {env("HOLDFAST_HTTP_TLS_CERT=c.pem"), `http.tls.cert = "c.pem" (from HOLDFAST_HTTP_TLS_CERT): needs http.tls.key: set it too`},
		"a key without certificate": {env("HOLDFAST_REDIS_TLS_KEY=k.pem", "HOLDFAST_REDIS_URL=rediss://r"),
			`redis.tls.key = "k.pem" (from HOLDFAST_REDIS_TLS_KEY): needs redis.tls.cert: set it too`},
		"client authority without TLS": {env("HOLDFAST_HTTP_TLS_CLIENT_CA=ca.pem"),
			`http.tls.client_ca = "ca.pem" (from HOLDFAST_HTTP_TLS_CLIENT_CA): needs http.tls.cert and http.tls.key: set them too`},
		"a provider without audience": {env("HOLDFAST_AUTH_OIDC_ISSUER=https://login.example.com"),
			`auth.oidc.issuer (from HOLDFAST_AUTH_OIDC_ISSUER): needs auth.oidc.audience and auth.oidc.claim: set them too`},
		"a provider over HTTP": {env("HOLDFAST_AUTH_OIDC_ISSUER=http://login.example.com"),
			`auth.oidc.issuer (from HOLDFAST_AUTH_OIDC_ISSUER): must be a URL such as https://login.example.com`},
		"a group without a role": {env("HOLDFAST_AUTH_OIDC_ROLES=warehouse=ship, admins"),
			`auth.oidc.roles (from HOLDFAST_AUTH_OIDC_ROLES): must be GROUP=ROLE, separated by commas, such as "warehouse=ship, admins=operate"`},
		"TLS files for a plain Redis": {env("HOLDFAST_REDIS_TLS_CA=ca.pem", "HOLDFAST_REDIS_URL=redis://r"),
			`redis.url (from HOLDFAST_REDIS_URL): must begin with rediss:// or rediss+sentinel://, because redis.tls is set`},
	} {
		if _, err := c.load(t); err == nil || err.Error() != "invalid configuration:\n  "+c.want {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}

func TestLoadFaults(t *testing.T) {
	for name, c := range map[string]struct {
		source
		want string // the whole fault
	}{
		"number for a duration": {file("reservation: {ttl: 600}\n"),
			`reservation.ttl = 600 (from holdfast.yaml): must be a duration with a unit, such as 10m, 90s or 24h`},
		"number text for a duration": {env("HOLDFAST_CONFIRM_WAIT=5"),
			`confirm.wait = "5" (from HOLDFAST_CONFIRM_WAIT): must have a unit, such as 10m, 90s or 24h`},
		"a URL in http.hosts": {env("HOLDFAST_HTTP_HOSTS=a.example, b.example/x"),
			`http.hosts = "a.example, b.example/x" (from HOLDFAST_HTTP_HOSTS): must be names without scheme, port and path, separated by commas, such as stock.example.com, 10.0.0.4`},
		"a port in http.hosts": {env("HOLDFAST_HTTP_HOSTS=a.example:80"),
			`http.hosts = "a.example:80" (from HOLDFAST_HTTP_HOSTS): must be names without scheme, port and path, separated by commas, such as stock.example.com, 10.0.0.4`},
		"zero for a duration": {env("HOLDFAST_CONFIRM_WAIT=0"),
			`confirm.wait = "0" (from HOLDFAST_CONFIRM_WAIT): must have a unit, such as 10m, 90s or 24h`},
		"not a duration": {source{flags: []string{"--confirm-wait=soon"}},
			`confirm.wait = "soon" (from --confirm-wait): must be a duration with a unit, such as 10m, 90s or 24h`},
		"confirm.wait too long": {env("HOLDFAST_CONFIRM_WAIT=2m"),
			`confirm.wait = "2m" (from HOLDFAST_CONFIRM_WAIT): must be between 1ms and 15s`},
		"sold_out_cache too short": {file("sold_out_cache: 999us\n"),
			`sold_out_cache = "999us" (from holdfast.yaml): must be 0s, or between 1ms and 1s`},
		"sold_out_cache too long": {env("HOLDFAST_SOLD_OUT_CACHE=1001ms"),
			`sold_out_cache = "1001ms" (from HOLDFAST_SOLD_OUT_CACHE): must be 0s, or between 1ms and 1s`},
		"sold_out_cache below zero": {source{flags: []string{"--sold-out-cache=-1ms"}},
			`sold_out_cache = "-1ms" (from --sold-out-cache): must be 0s, or between 1ms and 1s`},
		"ttl with a fraction of a second": {env("HOLDFAST_RESERVATION_TTL=1500ms"),
			`reservation.ttl = "1500ms" (from HOLDFAST_RESERVATION_TTL): must be whole seconds, 1s or more`},
		"ttl over its maximum": {env("HOLDFAST_RESERVATION_TTL=2h", "HOLDFAST_RESERVATION_TTL_MAX=1h"),
			`reservation.ttl = "2h" (from HOLDFAST_RESERVATION_TTL): must be at most reservation.ttl_max, which is 1h`},
		"the default ttl over a lower maximum": {env("HOLDFAST_RESERVATION_TTL_MAX=1m"),
			`reservation.ttl = "10m" (from the default): must be at most reservation.ttl_max, which is 1m`},
		"retention": {env("HOLDFAST_RESERVATION_RETENTION=1s"),
			`reservation.retention = "1s" (from HOLDFAST_RESERVATION_RETENTION): must be 1m or more, so that a repeated call finds its answer`},
		"sentinel password without sentinels": {env("HOLDFAST_REDIS_URL=redis://h", "HOLDFAST_REDIS_SENTINEL_PASSWORD=hunter2", "HOLDFAST_POSTGRES_URL=postgres://h/d"),
			`redis.sentinel_password (from HOLDFAST_REDIS_SENTINEL_PASSWORD): is only for redis+sentinel://: leave it out, or name the sentinels in redis.url`},
		"unknown key": {file("redis: {uri: redis://u:hunter2@h}\n"),
			`redis.uri (from holdfast.yaml): is not a setting: use one of ` + strings.Join(config.Keys(), ", ")},
		"a key that will exist": {file("http: {certificate: x.pem}\n"),
			`http.certificate (from holdfast.yaml): is not a setting: use one of ` + strings.Join(config.Keys(), ", ")},
		"a group with a scalar value": {file("http: 5\n"),
			`http (from holdfast.yaml): is not a setting: use one of ` + strings.Join(config.Keys(), ", ")},
		"unknown variable": {env("HOLDFAST_REDIS_URI=redis://u:hunter2@h"),
			`HOLDFAST_REDIS_URI (from the environment): is not a setting: use one of ` + strings.Join(config.Keys(), ", ")},
		"a port that Kubernetes did not set": {env("HOLDFAST_HTTP_PORT=80"),
			`HOLDFAST_HTTP_PORT (from the environment): is not a setting: use one of ` + strings.Join(config.Keys(), ", ")},
		"shards": {file("redis: {shards: 4}\n"),
			`redis.shards = 4 (from holdfast.yaml): must be 1: several shards are not supported yet, because a reservation is one atomic step only if all stock is in one shard`},
		"keys": {env("HOLDFAST_AUTH_MODE=keys"),
			`auth.mode = "keys" (from HOLDFAST_AUTH_MODE): needs a place that has the keys: set auth.keys_file or postgres.url, or auth.mode to off`},
		"auth": {env("HOLDFAST_AUTH_MODE=on"), `auth.mode = "on" (from HOLDFAST_AUTH_MODE): must be "auto", "keys" or "off"`},
		"rate": {env("HOLDFAST_AUTH_REQUESTS_PER_SECOND=-1"),
			`auth.requests_per_second = "-1" (from HOLDFAST_AUTH_REQUESTS_PER_SECOND): must be a whole number from 0 to 1000000`},
		"postgres": {env("HOLDFAST_POSTGRES_URL=mysql://u:hunter2@h/db?sslpassword=hunter2"),
			`postgres.url (from HOLDFAST_POSTGRES_URL): ` + noPostgres},
		"backlog": {env("HOLDFAST_RECONCILE_BACKLOG_MAX=10"),
			`reconcile.backlog_max = "10" (from HOLDFAST_RECONCILE_BACKLOG_MAX): must be a whole number from 1000 to 100000000`},
		"postgres as keywords": {env("HOLDFAST_POSTGRES_URL=host=h password=hunter2"),
			`postgres.url (from HOLDFAST_POSTGRES_URL): ` + noPostgres},
		"listen without a port": {env("HOLDFAST_HTTP_LISTEN=127.0.0.1"),
			`http.listen = "127.0.0.1" (from HOLDFAST_HTTP_LISTEN): must be HOST:PORT, such as 127.0.0.1:8080`},
		"listen on a number": {file("http: {listen: 8080}\n"),
			`http.listen = 8080 (from holdfast.yaml): must be HOST:PORT in quotes, such as "127.0.0.1:8080"`},
		"listen on port 70000": {env("HOLDFAST_HTTP_LISTEN=127.0.0.1:70000"),
			`http.listen = "127.0.0.1:70000" (from HOLDFAST_HTTP_LISTEN): must be HOST:PORT, such as 127.0.0.1:8080`},
		"prefix with braces": {env("HOLDFAST_REDIS_PREFIX={x}"),
			`redis.prefix = "{x}" (from HOLDFAST_REDIS_PREFIX): must be text of 1 to 64 bytes without { } or control characters`},
		"off beyond loopback": {env("HOLDFAST_HTTP_LISTEN=0.0.0.0:80", "HOLDFAST_REDIS_URL=redis://r", "HOLDFAST_AUTH_MODE=off"),
			`http.listen = "0.0.0.0:80" (from HOLDFAST_HTTP_LISTEN): must be a loopback address, such as 127.0.0.1:8080, while auth.mode is off: anyone who reaches the address can change stock; set auth.mode to keys`},
		"embedded beyond loopback": {env("HOLDFAST_HTTP_LISTEN=:80", "HOLDFAST_AUTH_KEYS_FILE=keys.yaml"),
			`http.listen = ":80" (from HOLDFAST_HTTP_LISTEN): must be a loopback address, such as 127.0.0.1:8080, while redis.url is empty: the embedded engine is only for trials; set redis.url for real use`},
		"not YAML":      {file("a: [\n"), `holdfast.yaml: is not YAML: line 1: did not find expected node content`},
		"a key twice":   {file("http: {listen: 'a:1'}\nhttp: {}\n"), `holdfast.yaml: is not YAML: unmarshal errors:` + "\n  line 2: mapping key \"http\" already defined at line 1"},
		"not a mapping": {file("- x\n"), `holdfast.yaml: is not YAML: unmarshal errors:` + "\n  line 1: cannot unmarshal !!seq into map[string]interface {}"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.load(t)
			var faults *config.Error
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if len(faults.Faults) != 1 || faults.Faults[0].String() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("a password was printed")
			}
		})
	}
}

const noPostgres = "must be a URL, such as postgres://user:password@127.0.0.1:5432/holdfast (in a password, percent-encode / ? # @ : and %)"

func TestLoadListsAllFaultsAtOnce(t *testing.T) {
	_, err := source{
		file:  "redis: {shards: 2}\nreservation: {ttl: 5}\nnonsense: 1\n",
		env:   []string{"HOLDFAST_NONSENSE=1", "HOLDFAST_HTTP_LISTEN=:80"},
		flags: []string{"--auth-mode=keys"},
	}.load(t)
	var faults *config.Error
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	for _, key := range []string{"redis.shards", "reservation.ttl", "nonsense", "HOLDFAST_NONSENSE", "http.listen", "auth.mode"} {
		if !strings.Contains(err.Error(), "\n  "+key+" ") {
			t.Errorf("%s is missing in %v", key, err)
		}
	}
	if len(faults.Faults) != 6 {
		t.Errorf("got %d faults, want 6: %v", len(faults.Faults), err)
	}
}

// TestLoadSecretFiles reads secrets from files that variables name.
func TestLoadSecretFiles(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	redisURL, empty := write("redis", "redis://:hunter2@h:1/2\r\n"), write("empty", "\n")
	got, err := source{
		file: "redis: {url: 'redis://file'}\n",
		env:  []string{"HOLDFAST_REDIS_URL_FILE=" + redisURL + "\n", "HOLDFAST_POSTGRES_URL_FILE=" + write("postgres", "postgres://u:hunter2@h/x\n")},
	}.load(t)
	if e := got.Redis.Endpoint; err != nil || e.String() != "redis://h:1/2" || e.Password != "hunter2" || got.Postgres.URL != "postgres://u:hunter2@h/x" {
		t.Errorf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"absent": {[]string{"HOLDFAST_REDIS_URL_FILE=/hunter2/redis"},
			"redis.url (from HOLDFAST_REDIS_URL_FILE): must name a file with the value: no such file or directory"},
		"empty": {[]string{"HOLDFAST_REDIS_URL_FILE=" + empty},
			"redis.url (from HOLDFAST_REDIS_URL_FILE): must name a file with the value: is empty"},
		"twice": {[]string{"HOLDFAST_REDIS_URL_FILE=" + redisURL, "HOLDFAST_REDIS_URL=redis://other"},
			"redis.url (from the environment): is set by HOLDFAST_REDIS_URL and by HOLDFAST_REDIS_URL_FILE: leave one out"},
		"twice, the other way round": {[]string{"HOLDFAST_REDIS_URL=redis://other", "HOLDFAST_REDIS_URL_FILE=" + redisURL},
			"redis.url (from the environment): is set by HOLDFAST_REDIS_URL and by HOLDFAST_REDIS_URL_FILE: leave one out"},
		"not a secret": {[]string{"HOLDFAST_CONFIRM_WAIT_FILE=" + redisURL}, "HOLDFAST_CONFIRM_WAIT_FILE (from the environment): is not a setting"},
	} {
		_, err := source{env: c.env}.load(t)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestLoadTrims reads values as files and editors leave them.
func TestLoadTrims(t *testing.T) {
	const redisURL, postgresURL = "redis://:p@h:1/2", "postgres://u:p@h/x"
	for _, around := range [][2]string{{"", "\n"}, {"", "\r\n"}, {"\ufeff", ""}, {"\ufeff", "\r\n"}, {" ", " "}, {"\n", "\t"}} {
		dress := func(value string) string { return around[0] + value + around[1] }
		for name, s := range map[string]source{
			"environment": {env: []string{
				"HOLDFAST_REDIS_URL=" + dress(redisURL), "HOLDFAST_POSTGRES_URL=" + dress(postgresURL),
				"HOLDFAST_CONFIRM_WAIT=" + dress("7s"), "HOLDFAST_AUTH_REQUESTS_PER_SECOND=" + dress("50"),
				"HOLDFAST_RECONCILE_BACKLOG_MAX=" + dress("5000"), "HOLDFAST_HTTP_LISTEN=" + dress("[::1]:80"),
				"HOLDFAST_DIRECTORY_FILE=" + dress(""), "HOLDFAST_AUTH_MODE=" + dress("off"),
			}},
			"file": {file: fmt.Sprintf("redis: {url: %q}\npostgres: {url: %q}\nconfirm: {wait: %q}\nauth: {requests_per_second: %q}\nhttp: {listen: %q}\n"+
				"reconcile: {backlog_max: %q}\n", dress(redisURL), dress(postgresURL), dress("7s"), dress("50"), dress("[::1]:80"), dress("5000"))},
			"flags": {flags: []string{
				"--redis-url=" + dress(redisURL), "--postgres-url=" + dress(postgresURL), "--confirm-wait=" + dress("7s"),
				"--auth-requests-per-second=" + dress("50"), "--http-listen=" + dress("[::1]:80"), "--reconcile-backlog-max=" + dress("5000"),
			}},
		} {
			got, err := s.load(t)
			if err != nil {
				t.Errorf("%s, %q: %v", name, around, err)
				continue
			}
			e := got.Redis.Endpoint
			if e.String() != "redis://h:1/2" || string(e.Password) != "p" || string(got.Postgres.URL) != postgresURL ||
				got.Confirm.Wait != 7*time.Second || got.Auth.Rate != 50 || got.HTTP.Listen != "[::1]:80" || got.Reconcile.BacklogMax != 5000 {
				t.Errorf("%s, %q: %+v", name, around, got)
			}
		}
	}
	if got, err := (source{env: []string{"HOLDFAST_REDIS_PREFIX= a \n"}}).load(t); err != nil || got.Redis.Prefix != " a " {
		t.Errorf("prefix %q, %v", got.Redis.Prefix, err)
	}
}

func TestLoadNamedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing.yaml")
	_, err := config.Load(nil, path, nil)
	if err == nil || !strings.Contains(err.Error(), path+": cannot be read: no such file or directory") {
		t.Errorf("got %v", err)
	}
}

func ExampleLoad() {
	c, err := config.Load(nil, "", []string{
		"HOLDFAST_REDIS_URL=redis://app:secret@cache.example:6379/2",
		"HOLDFAST_RESERVATION_TTL=15m",
	})
	fmt.Println(c.Redis.Endpoint, c.Reservation.TTL, err)

	_, err = config.Load(nil, "", []string{"HOLDFAST_RESERVATION_TTL=900"})
	fmt.Println(err)
	// Output:
	// redis://cache.example:6379/2 15m0s <nil>
	// invalid configuration:
	//   reservation.ttl = "900" (from HOLDFAST_RESERVATION_TTL): must have a unit, such as 10m, 90s or 24h
}
