package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const (
	redisPort    = "6379"
	sentinelPort = "26379"
	databaseMax  = 1 << 16 // more than any Redis has
)

// Endpoint is the Redis that redis.url names.
type Endpoint struct {
	Hosts    []string // HOST:PORT each; several mean a Cluster or sentinels, none the embedded engine
	TLS      bool     // rediss://
	TLSFiles TLSFiles // of redis.tls; the zero value trusts the authorities of the system
	Username string
	Password Secret
	Database int // always 0 on a Cluster

	Primary          string // the name by which the sentinels know it; "" if the hosts are no sentinels
	SentinelUsername string
	SentinelPassword Secret
}

// Embedded reports whether the endpoint names no Redis and so means the one in this process.
func (e Endpoint) Embedded() bool { return len(e.Hosts) == 0 }

// Cluster reports whether the hosts are nodes of a Redis Cluster.
func (e Endpoint) Cluster() bool { return len(e.Hosts) > 1 && e.Primary == "" }

// String returns the endpoint as a URL without credentials, or "embedded".
func (e Endpoint) String() string {
	if e.Embedded() {
		return "embedded"
	}
	scheme := "redis"
	if e.TLS {
		scheme = "rediss"
	}
	path := strconv.Itoa(e.Database)
	if e.Primary != "" {
		scheme, path = scheme+sentinelSuffix, e.Primary+"/"+path
	}
	return fmt.Sprintf("%s://%s/%s", scheme, strings.Join(e.Hosts, ","), path)
}

// set reads redis.url.
func (e *Endpoint) set(raw any) (err error) {
	text, ok := raw.(string)
	if !ok {
		return errors.New("must be a URL, such as redis://127.0.0.1:6379")
	}
	parsed, err := parseEndpoint(text)
	parsed.SentinelUsername, parsed.SentinelPassword, parsed.TLSFiles = e.SentinelUsername, e.SentinelPassword, e.TLSFiles
	*e = parsed
	return err
}

// sentinelSuffix ends the scheme of a URL that names sentinels.
const sentinelSuffix = "+sentinel"

// parseEndpoint reads redis://[user:password@]host[:port][,host[:port]…][/database], or
// redis+sentinel://…/NAME[/database]. Its errors never contain a part of raw that may be a password.
func parseEndpoint(raw string) (Endpoint, error) {
	if raw == "" {
		return Endpoint{}, nil
	}
	scheme, rest, _ := strings.Cut(raw, "://")
	kind, sentinels := strings.CutSuffix(scheme, sentinelSuffix)
	if kind != "redis" && kind != "rediss" {
		return Endpoint{}, errors.New("must begin with redis://, rediss://, redis+sentinel:// or rediss+sentinel://, such as redis://127.0.0.1:6379")
	}
	e := Endpoint{TLS: kind == "rediss"}
	if strings.ContainsAny(rest, "?#") {
		return Endpoint{}, errors.New("must end after the database: remove the options after ? or # " +
			"(in a password, write ? as %3F and # as %23)")
	}
	authority, database, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if err := e.setCredentials(authority[:at]); err != nil {
			return Endpoint{}, err
		}
		authority = authority[at+1:]
	}
	port := redisPort
	if sentinels {
		port = sentinelPort
		if e.Primary, database, _ = strings.Cut(database, "/"); !validHost(e.Primary) {
			return Endpoint{}, errors.New("must name the primary after the sentinels, with letters, digits, dots, dashes and " +
				"underscores: redis+sentinel://SENTINEL:26379/NAME (in a password, write / as %2F)")
		}
	}
	if err := e.setHosts(authority, port); err != nil {
		return Endpoint{}, err
	}
	return e, e.setDatabase(database)
}

func (e *Endpoint) setCredentials(userinfo string) error {
	user, password, _ := strings.Cut(userinfo, ":")
	name, err := url.PathUnescape(user)
	if err != nil {
		return errors.New("has a user name that is not percent-encoded: write % as %25")
	}
	secret, err := url.PathUnescape(password)
	if err != nil {
		return errors.New("has a password that is not percent-encoded: write % as %25")
	}
	e.Username, e.Password = name, Secret(secret)
	return nil
}

func (e *Endpoint) setHosts(list, port string) error {
	for host := range strings.SplitSeq(list, ",") {
		address, ok := withPort(host, port)
		if !ok {
			return errors.New("must name hosts as HOST:PORT, separated by commas, and no options such as ssl=true: " +
				"write redis://USER:PASSWORD@HOST:PORT, or rediss:// for TLS (in a password, write / as %2F and @ as %40)")
		}
		e.Hosts = append(e.Hosts, address)
	}
	return nil
}

// withPort adds a port to a host that names none.
func withPort(host, port string) (string, bool) {
	name := host
	if h, p, err := net.SplitHostPort(host); err == nil {
		name, port = h, p
	} else if bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"); strings.Contains(bare, ":") && bare != host {
		name = bare
	} else if strings.Contains(host, ":") {
		return "", false
	}
	if !validHost(name) || !validPort(port, 1) {
		return "", false
	}
	return net.JoinHostPort(name, port), true
}

// validHost reports whether text is an address or a host name. It is strict, because errors print
// hosts: an option such as password=… must not pass for one.
func validHost(text string) bool {
	if ip, err := netip.ParseAddr(text); err == nil {
		return strings.Trim(ip.Zone(), hostCharacters) == ""
	}
	return text != "" && strings.Trim(text, hostCharacters) == ""
}

const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

func (e *Endpoint) setDatabase(text string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > databaseMax {
		return errors.New("must end in a database number, such as /0, or after the hosts and the primary " +
			"(in a password, write / as %2F)")
	}
	if n != 0 && e.Cluster() {
		return errors.New("must not name a database with several hosts: a Cluster has only database 0")
	}
	e.Database = n
	return nil
}

// validPort reports whether text is a port number of at least lowest.
func validPort(text string, lowest int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= lowest && n <= 65535
}
