package acceptance

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

// accessRules are those of a Postgres in which each user meets another refusal. The superuser may enter.
const accessRules = `do $$ begin execute format($f$
copy (values ('host all test all trust'), ('host all strict all scram-sha-256'), ('hostssl all encrypted all trust'),
    ('host all nologin all trust'), ('host all stranger all trust')) to %L $f$, current_setting('hba_file')); end $$;
create role strict login password 's@c/ret:1#?%';
create role encrypted login;
create role nologin`

// withCredentials returns a URL with a user and a password.
func withCredentials(t *testing.T, raw, user, password string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

// TestDoctor_Unreachable names a plain cause and the next step for each way in which a server can't be
// reached.
func TestDoctor_Unreachable(t *testing.T) {
	t.Parallel()
	redis, locked := redistest.Start(t), redistest.Start(t)
	if err := locked.Client(t).ConfigSet(t.Context(), "requirepass", "s@c/ret:1#?%").Err(); err != nil {
		t.Fatal(err)
	}
	good := ledger(t)
	server := pgtest.Start(t)
	pgtest.Exec(t, server.URL(), accessRules)
	server.Kill()
	server.Restart() // reads the rules
	database := strings.TrimSuffix(server.URL(), "?sslmode=disable")
	encrypted, certificate := tlsServers(t)
	locally := strings.Replace(encrypted.redis, "127.0.0.1", "localhost", 1) // another name than in the certificate
	secure := startSecure(t)
	lockedURL := func(password string) string { return withCredentials(t, locked.URL(), "", password) }
	as := func(user, password, options string) string {
		return withCredentials(t, database, user, password) + options
	}
	for _, c := range []struct {
		name, redis, postgres string
		env                   []string
		seen, do              string
	}{
		{"redis password missing", locked.URL(), good, nil, "requires a password", "add it to redis.url"},
		{"redis password wrong", lockedURL("x"), good, nil, "refuses the user or the password", "percent-encode"},
		{"redis password special", lockedURL("s@c/ret:1#?%"), good, nil, "", ""},
		{"redis user unknown", withCredentials(t, redis.URL(), "nobody", "x"), good, nil, "refuses the user or the password", "correct them in redis.url"},
		{"redis port", "redis://127.0.0.1:1", good, nil, "does not listen there", "the port in redis.url"},
		{"redis host", "redis://nowhere.invalid:6379", good, nil, "host name that cannot be looked up", "correct the host in redis.url"},
		{"redis database", redis.URL() + "/9999", good, nil, "no database of this number", "a lower number"},
		{"redis without TLS", "rediss://" + redis.Addr(), good, nil, "does not offer TLS", "redis:// instead of rediss://"},
		{"redis with TLS", strings.Replace(encrypted.redis, "rediss", "redis", 1), good, nil, "requires TLS", "rediss:// instead of redis://"},
		{"redis unknown CA", encrypted.redis, good, nil, "authority that this machine does not trust", "redis.tls.ca"},
		{"redis with its CA", secure.url, good, secure.env(secure.cert), "", ""},
		{"redis asks for a certificate", secure.url, good, secure.env(""), "refuses the TLS handshake", "redis.tls.cert"},
		{"redis other name", locally, good, []string{"SSL_CERT_FILE=" + certificate}, "certificate for another host name", "in redis.url"},
		{"redis is no Redis", "redis://" + strings.TrimPrefix(httpServer(t), "http://"), good, nil, "does not speak the protocol of Redis", "the port in redis.url"},

		{"postgres password missing", redis.URL(), as("strict", "", ""), nil, "refuses the password", "percent-encode"},
		{"postgres password wrong", redis.URL(), as("strict", "x", ""), nil, "refuses the password", "correct the user and the password"},
		{"postgres password special", redis.URL(), as("strict", "s@c/ret:1#?%", ""), nil, "run holdfast migrate", "run holdfast migrate"},
		{"postgres user unknown", redis.URL(), as("stranger", "", ""), nil, "refuses this user", "create the role"},
		{"postgres user may not log in", redis.URL(), as("nologin", "", ""), nil, "refuses this user", "LOGIN"},
		{"postgres user not in pg_hba.conf", redis.URL(), as("other", "", ""), nil, "pg_hba.conf", "pg_hba.conf"},
		{"postgres port", redis.URL(), "postgres://127.0.0.1:1/x", nil, "does not listen there", "the port in postgres.url"},
		{"postgres host", redis.URL(), "postgres://nowhere.invalid/x", nil, "host name that cannot be looked up", "correct the host in postgres.url"},
		{"postgres database", redis.URL(), strings.Replace(database, "/postgres", "/none", 1), nil, "no such database", "correct the database"},
		{"postgres requires TLS", redis.URL(), as("encrypted", "", "?sslmode=disable"), nil, "refuses this connection without TLS", "sslmode=require"},
		{"postgres without TLS", redis.URL(), database + "?sslmode=require", nil, "does not offer TLS", "sslmode=disable"},
		{"postgres unknown CA", redis.URL(), encrypted.postgres + "?sslmode=verify-full", nil, "authority that this machine does not trust", "sslrootcert"},
		{"postgres other name", redis.URL(), strings.Replace(encrypted.postgres, "127.0.0.1", "localhost", 1) + "?sslmode=verify-full&sslrootcert=" + certificate,
			nil, "certificate for another host name", "in postgres.url"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, failed, stderr := doctorIn(t, c.env, "--redis-url="+c.redis, "--postgres-url="+c.postgres)
			switch {
			case c.seen == "" && (code != 0 || failed != nil):
				t.Errorf("exit %d: %+v", code, failed)
			case c.seen == "":
			case code != 1 || len(failed) != 1 || !strings.Contains(failed[0].Seen, c.seen) || !strings.Contains(failed[0].Do, c.do):
				t.Errorf("exit %d: %+v\nwant %q -> %q", code, failed, c.seen, c.do)
			}
			if want := "holdfast: the set-up is not safe: correct what has failed above\n"; code == 1 && stderr != want {
				t.Errorf("it also says %q", stderr)
			}
		})
	}
}

// TestDoctor_Broken breaks one thing at a time, and finds it.
func TestDoctor_Broken(t *testing.T) {
	t.Parallel()
	redis, url := redistest.Start(t, "--appendonly", "yes"), ledger(t)
	ledgers.Store(redis, url)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 5))
	p.signal(syscall.SIGTERM)
	<-p.process.Exited
	client := redis.Client(t)
	const stock, role = "{holdfast:0}:stock", "doctor_broken" // roles are the whole server's
	pgtest.Exec(t, url, "create role "+role+" login")
	t.Cleanup(func() { pgtest.Exec(t, url, "drop owned by "+role+"; drop role "+role) })
	file := filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(file, []byte("locations: [{id: a, zones: [x]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	sql := func(statements string) func() error {
		return func() error { pgtest.Exec(t, url, statements); return nil }
	}
	config := func(name, value string) func() error {
		return func() error { return client.ConfigSet(t.Context(), name, value).Err() }
	}
	acl := func(rules ...any) func() error {
		return func() error {
			return client.Do(t.Context(), append([]any{"acl", "setuser", "part", "reset", "on", ">pw", "~*", "+@all"}, rules...)...).Err()
		}
	}
	gate := func(state string) func() error {
		return func() error { return client.HSet(t.Context(), stock, "gate", state).Err() }
	}
	nothing := func() error { return nil }
	part, app := withCredentials(t, redis.URL(), "part", "pw"), withCredentials(t, url, role, "")
	all := "grant usage on schema public to " + role + "; grant select, insert, update, delete on all tables in schema public to " + role
	for _, c := range []struct {
		name      string
		breaks    func() error
		args      []string
		found, do string // of the only failed check; "" if it only warns
		mend      func() error
	}{
		{"evicting", config("maxmemory-policy", "allkeys-lru"), nil, "redis eviction: allkeys-lru", "noeviction", config("maxmemory-policy", "noeviction")},
		{"no append-only file", config("appendonly", "no"), nil, "", "", config("appendonly", "yes")},
		{"memory full", config("maxmemory", "1mb"), nil, "redis writes: ", "raise maxmemory", config("maxmemory", "0")},
		{"no replica in step", config("min-replicas-to-write", "1"), nil, "redis writes: ", "bring a replica up", config("min-replicas-to-write", "0")},
		{"commands denied", acl("-xadd", "-hset"), []string{"--redis-url=" + part}, "the user may not run hset", "ACL SETUSER", nothing},
		{"keys denied", acl("resetkeys", "~shop*"), []string{"--redis-url=" + part}, "NOPERM", "ACL SETUSER", nothing},
		{"gate stopped", gate("stopped"), nil, "redis gate: stopped", "put the right ledger back", gate("")},
		{"gate loading", gate("loading"), nil, "", "", gate("")},
		{"another ledger", nothing, []string{"--postgres-url=" + ledger(t)}, "do not belong together", "those of one deployment", nothing},
		{"another prefix", nothing, []string{"--redis-prefix=other"}, `ledger: prefix "holdfast"`, `set redis.prefix to "holdfast"`, nothing},
		{"directory missing", nothing, []string{"--directory-file=/none.yaml"}, "/none.yaml: no such file", "set directory.file", nothing},
		{"directory invalid", nothing, []string{"--directory-file=" + file}, "which is not one of the zones", "correct the file", nothing},
		{"centroids missing", nothing, []string{"--directory-centroids=/none.csv"}, "/none.csv: no such file", "set directory.centroids", nothing},
		{"address taken", nothing, []string{"--http-listen=" + redis.Addr()}, "", "", nothing},
		{"no rights", nothing, []string{"--postgres-url=" + app}, "permission denied for table schema_migrations", "select on schema_migrations", nothing},
		{"all rights", sql(all), []string{"--postgres-url=" + app}, "", "", nothing},
		{"insert denied", sql("revoke insert on levels from " + role), []string{"--postgres-url=" + app}, "lacks insert on levels", "grant this user", sql(all)},
		{"select denied", sql("revoke select on directories from " + role), []string{"--postgres-url=" + app}, "lacks select on directories", "grant this user", sql(all)},
		{"delete denied", sql("revoke delete on levels from " + role), []string{"--postgres-url=" + app}, "lacks delete on levels", "grant this user", sql(all)},
		{"read-only", sql("alter role " + role + " set default_transaction_read_only = on"), []string{"--postgres-url=" + app},
			"postgres read-only: on", "to off", sql("alter role " + role + " reset all")},
		{"synchronous_commit", sql("alter role " + role + " set synchronous_commit = off"), []string{"--postgres-url=" + app},
			"postgres synchronous_commit: off", "to on", sql("alter role " + role + " reset all")},
		{"table gone", sql("alter table positions rename to gone"), nil, "lacks a table", "restore the database", sql("alter table gone rename to positions")},
		{"other migration", sql("update schema_migrations set checksum = 'x' || checksum"), nil, "differs from that of this binary", "run the holdfast that made it",
			sql("update schema_migrations set checksum = substr(checksum, 2)")},
		{"whole again", nothing, nil, "", "", nothing},
		{"Redis lost data", func() error { return client.FlushAll(t.Context()).Err() }, nil, "do not belong together, or redis has lost data", "rebuilds Redis", nothing},
	} {
		if err := c.breaks(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		args := append([]string{"--redis-url=" + redis.URL(), "--postgres-url=" + url, "--http-listen=127.0.0.1:0"}, c.args...)
		code, failed := doctor(t, args...)
		switch {
		case c.found == "" && (code != 0 || failed != nil):
			t.Errorf("%s: exit %d: %+v", c.name, code, failed)
		case c.found == "":
		case code != 1 || len(failed) != 1 || !strings.Contains(failed[0].Name+": "+failed[0].Seen, c.found) || !strings.Contains(failed[0].Do, c.do):
			t.Errorf("%s: exit %d: %+v", c.name, code, failed)
		}
		if err := c.mend(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
}

// httpServer returns the URL of a server that speaks only HTTP.
func httpServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(nil)
	t.Cleanup(s.Close)
	return s.URL
}

// tlsServers starts what looks, up to the handshake, like a Redis and a Postgres with TLS. certificate is
// a file with their certificate, which no machine trusts and which names 127.0.0.1, but not localhost.
func tlsServers(t *testing.T) (urls struct{ redis, postgres string }, certificate string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of failed handshakes
	s.StartTLS()
	t.Cleanup(s.Close)
	certificate = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(certificate, text, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil { // the request for TLS
					return
				}
				if _, err := conn.Write([]byte("S")); err == nil {
					_ = tls.Server(conn, s.TLS).Handshake()
				}
			}()
		}
	}()
	urls.redis = "rediss://" + s.Listener.Addr().String()
	urls.postgres = "postgres://u@" + listener.Addr().String() + "/x"
	return urls, certificate
}
