package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

const (
	redisPort   = "6379"
	databaseMax = 1 << 16 // no Redis is set up with more databases
)

// Endpoint is a Redis, as redis.url names it.
type Endpoint struct {
	Hosts    []string // HOST:PORT each; several mean Cluster, none the embedded engine
	TLS      bool     // rediss://
	Username string
	Password Secret
	Database int // always 0 on Cluster
}

// Embedded reports whether no Redis is named, so that the one in this process is used.
func (e Endpoint) Embedded() bool { return len(e.Hosts) == 0 }

// Cluster reports whether the hosts are nodes of a Redis Cluster.
func (e Endpoint) Cluster() bool { return len(e.Hosts) > 1 }

// String is the endpoint as a URL without its credentials.
func (e Endpoint) String() string {
	if e.Embedded() {
		return "embedded"
	}
	scheme := "redis"
	if e.TLS {
		scheme = "rediss"
	}
	return fmt.Sprintf("%s://%s/%d", scheme, strings.Join(e.Hosts, ","), e.Database)
}

// parseEndpoint reads redis://[user:password@]host[:port][,host[:port]…][/database]. Its errors
// never carry a part of raw that may be a password.
func parseEndpoint(raw string) (Endpoint, error) {
	if raw == "" {
		return Endpoint{}, nil
	}
	scheme, rest, _ := strings.Cut(raw, "://")
	e := Endpoint{TLS: scheme == "rediss"}
	switch scheme {
	case "redis", "rediss":
	case "redis+sentinel", "rediss+sentinel":
		return Endpoint{}, errors.New("redis+sentinel:// is not available yet; name the primary with redis://HOST:PORT")
	default:
		return Endpoint{}, errors.New("must begin with redis:// or rediss://, such as redis://127.0.0.1:6379")
	}
	if strings.ContainsAny(rest, "?#") {
		return Endpoint{}, errors.New("must end after the database: no options after ? or # " +
			"(in a password they are written %3F and %23)")
	}
	authority, database, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if err := e.setCredentials(authority[:at]); err != nil {
			return Endpoint{}, err
		}
		authority = authority[at+1:]
	}
	if err := e.setHosts(authority); err != nil {
		return Endpoint{}, err
	}
	return e, e.setDatabase(database)
}

func (e *Endpoint) setCredentials(userinfo string) error {
	user, password, _ := strings.Cut(userinfo, ":")
	name, err := url.PathUnescape(user)
	if err != nil {
		return errors.New("the user name is not percent-encoded: write % as %25")
	}
	secret, err := url.PathUnescape(password)
	if err != nil {
		return errors.New("the password is not percent-encoded: write % as %25")
	}
	e.Username, e.Password = name, Secret(secret)
	return nil
}

func (e *Endpoint) setHosts(list string) error {
	for host := range strings.SplitSeq(list, ",") {
		address, ok := withPort(host)
		if !ok {
			return errors.New("must name hosts as HOST:PORT, with commas between them " +
				"(a / or @ in a password is written %2F or %40)")
		}
		e.Hosts = append(e.Hosts, address)
	}
	return nil
}

// withPort adds the usual port to a host that names none.
func withPort(host string) (string, bool) {
	name, port := host, redisPort
	if h, p, err := net.SplitHostPort(host); err == nil {
		name, port = h, p
	} else if bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"); bare != host {
		name = bare
	} else if strings.Contains(host, ":") {
		return "", false
	}
	if name == "" || strings.ContainsAny(name, "@[] \t") || !validPort(port, 1) {
		return "", false
	}
	return net.JoinHostPort(name, port), true
}

func (e *Endpoint) setDatabase(text string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > databaseMax {
		return errors.New("must end in a database number, such as /0, or in none " +
			"(a / in a password is written %2F)")
	}
	if n != 0 && e.Cluster() {
		return errors.New("must not name a database with several hosts: Cluster has only database 0")
	}
	e.Database = n
	return nil
}

// validPort reports whether text is a port number of at least lowest.
func validPort(text string, lowest int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= lowest && n <= 65535
}

// redact is raw as a fault may print it: without credentials and options.
func redact(raw string) string {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return "(hidden)"
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "…" + rest[at:]
	}
	if cut := strings.IndexAny(rest, "?#"); cut >= 0 {
		rest = rest[:cut+1] + "…"
	}
	return scheme + "://" + rest
}
