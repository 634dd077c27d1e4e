package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast/holdfast/cache"
)

const (
	prefixBytesMax     = 64 // length of redis.prefix
	pageConnectionsMax = 100
	rateMax            = 1_000_000   // requests a second of a key
	backlogMin         = 1_000       // a burst is not a backlog
	backlogMax         = 100_000_000 // tens of GB of Redis
)

// setting is one key of the configuration.
type setting struct {
	key     string
	initial any    // the default
	usage   string // one line, for the flag
	secret  bool   // its value may contain a password
	set     func(c *Config, raw any) error
}

// settings lists every key, in the order of the example file.
var settings = []setting{
	{"http.listen", "127.0.0.1:8080", "`HOST:PORT` to listen on; port 0 picks a free one", false,
		func(c *Config, raw any) error { return setListen(&c.HTTP.Listen, raw) }},
	{"http.hosts", "", "further names under which callers reach the server, separated by commas", false,
		func(c *Config, raw any) error { return setHosts(&c.HTTP.Hosts, raw) }},
	{"http.tls.cert", "", "`FILE` with the server's certificate and the intermediate ones, PEM; empty means no TLS", false,
		func(c *Config, raw any) error { return setFile(&c.HTTP.TLS.Cert, raw) }},
	{"http.tls.key", "", "`FILE` with the key of http.tls.cert, PEM", false,
		func(c *Config, raw any) error { return setFile(&c.HTTP.TLS.Key, raw) }},
	{"http.tls.client_ca", "", "`FILE` with the authorities of which callers must have a certificate, PEM; empty means none", false,
		func(c *Config, raw any) error { return setFile(&c.HTTP.TLS.CA, raw) }},
	{"http.shutdown_notice", "0s", "how long /readyz answers 503 before a stopping server refuses requests", false,
		func(c *Config, raw any) error { return shutdownNotice.set(&c.HTTP.ShutdownNotice, raw) }},
	{"redis.url", "", "`URL` of Redis, redis:// or redis+sentinel://; several hosts mean a Cluster; empty means the embedded engine", true,
		func(c *Config, raw any) error { return c.Redis.Endpoint.set(raw) }},
	{"redis.sentinel_username", "", "user name at the sentinels, if they ask for one", true,
		func(c *Config, raw any) error { return setText(&c.Redis.Endpoint.SentinelUsername, raw) }},
	{"redis.sentinel_password", "", "password at the sentinels, if they ask for one", true,
		func(c *Config, raw any) error { return setText(&c.Redis.Endpoint.SentinelPassword, raw) }},
	{"redis.tls.ca", "", "`FILE` with the authorities that sign the certificate of Redis, PEM; empty means those of the system", false,
		func(c *Config, raw any) error { return setFile(&c.Redis.Endpoint.TLSFiles.CA, raw) }},
	{"redis.tls.cert", "", "`FILE` with the certificate that Redis asks for, PEM", false,
		func(c *Config, raw any) error { return setFile(&c.Redis.Endpoint.TLSFiles.Cert, raw) }},
	{"redis.tls.key", "", "`FILE` with the key of redis.tls.cert, PEM", false,
		func(c *Config, raw any) error { return setFile(&c.Redis.Endpoint.TLSFiles.Key, raw) }},
	{"redis.prefix", "holdfast", "start of every key in Redis", false,
		func(c *Config, raw any) error { return setPrefix(&c.Redis.Prefix, raw) }},
	{"redis.shards", 1, "number of shards; must be 1 for now", false,
		func(c *Config, raw any) error { return setShards(&c.Redis.Shards, raw) }},
	{"postgres.url", "", "`URL` of the ledger's database, postgres://; empty means memory, with the embedded engine only", true,
		func(c *Config, raw any) error { return setPostgres(&c.Postgres.URL, raw) }},
	{"postgres.session_url", "", "address of the same database without a pooler, for locks; empty means postgres.url", true,
		func(c *Config, raw any) error { return setPostgres(&c.Postgres.SessionURL, raw) }},
	{"postgres.page_connections", 4, "most connections to Postgres for lists and searches", false,
		func(c *Config, raw any) error { return setPageConnections(&c.Postgres.PageConnections, raw) }},
	{"reservation.ttl", "10m", "default deadline of a reservation", false,
		func(c *Config, raw any) error { return ttl.set(&c.Reservation.TTL, raw) }},
	{"reservation.ttl_max", "24h", "longest deadline that a caller may ask for", false,
		func(c *Config, raw any) error { return ttl.set(&c.Reservation.TTLMax, raw) }},
	{"reservation.retention", "24h", "how long Redis keeps resolved reservations", false,
		func(c *Config, raw any) error { return retention.set(&c.Reservation.Retention, raw) }},
	{"sold_out_cache", "0s", "how long a process remembers that a SKU is sold out; 0s makes every refusal exact", false,
		func(c *Config, raw any) error { return soldOutCache.set(&c.SoldOutCache, raw) }},
	{"reconcile.backlog_max", 250_000, "refuse reserve if this many entries wait for the ledger", false,
		func(c *Config, raw any) error { return setBacklog(&c.Reconcile.BacklogMax, raw) }},
	{"confirm.wait", "5s", "how long a durable call waits for the ledger", false,
		func(c *Config, raw any) error { return confirmWait.set(&c.Confirm.Wait, raw) }},
	{"directory.file", "", "`FILE` with the routing directory; empty means the ledger keeps it", false,
		func(c *Config, raw any) error { return setFile(&c.Directory.File, raw) }},
	{"directory.centroids", "", "CSV `FILE` with the positions of postal codes; empty means one position per country", false,
		func(c *Config, raw any) error { return setFile(&c.Directory.Centroids, raw) }},
	{"metrics.listen", "", "`HOST:PORT` that serves /metrics without a key; empty means http.listen, with a key", false,
		func(c *Config, raw any) error { return setMonitor(&c.Metrics.Listen, raw) }},
	{"log.level", "info", "least level of the log: debug, info, warn or error", false,
		func(c *Config, raw any) error { return setLevel(&c.Log.Level, raw) }},
	{"log.format", string(LogAuto), "text, json, or auto: text on a terminal", false,
		func(c *Config, raw any) error { return setFormat(&c.Log.Format, raw) }},
	{"auth.mode", string(authAuto), "how callers authenticate: keys, off, or auto: keys if redis.url is set", false,
		func(c *Config, raw any) error { return setAuth(&c.Auth.Mode, raw) }},
	{"auth.keys_file", "", "YAML `FILE` with hashes of keys, besides those of the ledger", false,
		func(c *Config, raw any) error { return setFile(&c.Auth.KeysFile, raw) }},
	{"auth.oidc.issuer", "", "`URL` of the OpenID Connect provider at which people sign in; empty means that only keys count", false,
		func(c *Config, raw any) error { return setIssuer(&c.Auth.OIDC.Issuer, raw) }},
	{"auth.oidc.audience", "", "audience that a person's token must name", false,
		func(c *Config, raw any) error { return setText(&c.Auth.OIDC.Audience, raw) }},
	{"auth.oidc.claim", "roles", "claim of a token that names the person's roles or groups", false,
		func(c *Config, raw any) error { return setText(&c.Auth.OIDC.Claim, raw) }},
	{"auth.oidc.roles", "", "roles of groups, such as \"warehouse=ship, admins=operate\"", false,
		func(c *Config, raw any) error { return setRoles(&c.Auth.OIDC.Roles, raw) }},
	{"auth.requests_per_second", 0, "requests a second of a key that has no limit of its own; 0 means any number", false,
		func(c *Config, raw any) error { return setRate(&c.Auth.Rate, raw) }},
}

// Keys lists every key, in the order of the example file.
func Keys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	return keys
}

func find(key string) (setting, bool) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
	if i < 0 {
		return setting{}, false
	}
	return settings[i], true
}

// kind returns what the values of the setting are, for --help.
func (s setting) kind() string {
	switch initial := s.initial.(type) {
	case bool:
		return "bool"
	case int:
		return "int"
	case string:
		if _, err := time.ParseDuration(initial); err == nil {
			return "duration"
		}
	}
	return "string"
}

// flag returns the name of the setting's flag, such as reservation-ttl-max.
func (s setting) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(s.key) }

// variable returns the name of the setting's environment variable.
func (s setting) variable() string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// fileVariable returns the name of the environment variable that names a file with the value.
func (s setting) fileVariable() string { return s.variable() + "_FILE" }

// lineEnds are the line ends and the byte order mark that a file or an editor adds to a value.
const lineEnds = "\r\n\ufeff"

// trimmed returns a value without what a file adds to it. A space belongs to a key in Redis.
func (s setting) trimmed(value string) string {
	if s.key == "redis.prefix" {
		return strings.Trim(value, lineEnds)
	}
	return Trim(value)
}

// Trim returns a value without line ends, spaces, tabs and a byte order mark around it.
func Trim(value string) string { return strings.Trim(value, lineEnds+" \t") }

// printed formats raw for a fault. It returns "" for a value that is, or looks like, a URL or a list
// of options: either may contain a password, and one that is malformed may have it anywhere.
func (s setting) printed(raw any) string {
	text, ok := raw.(string)
	switch {
	case s.secret, strings.ContainsAny(fmt.Sprint(raw), "@=") || strings.Contains(fmt.Sprint(raw), "://"):
		return ""
	case !ok:
		return fmt.Sprint(raw)
	}
	return strconv.Quote(text)
}

func setPrefix(to *string, raw any) error {
	text, ok := raw.(string)
	bad := func(r rune) bool { return r == '{' || r == '}' || unicode.IsControl(r) }
	if !ok || text == "" || text == "." || text == ".." || len(text) > prefixBytesMax ||
		!utf8.ValidString(text) || strings.ContainsFunc(text, bad) {
		return fmt.Errorf("must be text of 1 to %d bytes without { } or control characters", prefixBytesMax)
	}
	*to = text
	return nil
}

func setFile(to *string, raw any) error {
	text, ok := raw.(string)
	if !ok || strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("must be a file name without control characters")
	}
	*to = text
	return nil
}

func setText[T ~string](to *T, raw any) error {
	text, ok := raw.(string)
	if !ok || strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("must be text without control characters, in quotes")
	}
	*to = T(text)
	return nil
}

func setShards(to *int, raw any) error {
	if fmt.Sprint(raw) != "1" {
		return errors.New("must be 1: several shards are not supported yet, " +
			"because a reservation is one atomic step only if all stock is in one shard")
	}
	*to = 1
	return nil
}

func setPageConnections(to *int, raw any) error {
	n, err := strconv.Atoi(fmt.Sprint(raw))
	if err != nil || n < 1 || n > pageConnectionsMax {
		return fmt.Errorf("must be a whole number from 1 to %d", pageConnectionsMax)
	}
	*to = n
	return nil
}

func setBacklog(to *int64, raw any) error {
	n, err := strconv.ParseInt(fmt.Sprint(raw), 10, 64)
	if err != nil || n < backlogMin || n > backlogMax {
		return fmt.Errorf("must be a whole number from %d to %d", backlogMin, backlogMax)
	}
	*to = n
	return nil
}

func setRate(to *int, raw any) error {
	n, err := strconv.Atoi(fmt.Sprint(raw))
	if err != nil || n < 0 || n > rateMax {
		return fmt.Errorf("must be a whole number from 0 to %d", rateMax)
	}
	*to = n
	return nil
}

func setAuth(to *AuthMode, raw any) error {
	text, _ := raw.(string)
	switch mode := AuthMode(text); mode {
	case authAuto, AuthOff, AuthKeys:
		*to = mode
		return nil
	}
	return errors.New(`must be "auto", "keys" or "off"`)
}

// setListen checks that raw is HOST:PORT.
func setListen(to *string, raw any) error {
	text, ok := raw.(string)
	if !ok {
		return errors.New("must be HOST:PORT in quotes, such as \"127.0.0.1:8080\"")
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil || !validPort(port, 0) {
		return errors.New("must be HOST:PORT, such as 127.0.0.1:8080")
	}
	*to = text
	return nil
}

func setMonitor(to *string, raw any) error {
	if raw == "" {
		*to = ""
		return nil
	}
	return setListen(to, raw)
}

func setLevel(to *slog.Level, raw any) error {
	levels := map[any]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, known := levels[raw]
	if !known {
		return errors.New("must be debug, info, warn or error")
	}
	*to = level
	return nil
}

func setFormat(to *LogFormat, raw any) error {
	text, _ := raw.(string)
	if !slices.Contains([]LogFormat{LogAuto, LogText, LogJSON}, LogFormat(text)) {
		return errors.New("must be auto, text or json")
	}
	*to = LogFormat(text)
	return nil
}

// setIssuer checks that raw is the URL of a provider. Beyond this machine it must be HTTPS, because the
// keys that it answers decide who may call.
func setIssuer(to *string, raw any) error {
	text, _ := raw.(string)
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(net.JoinHostPort(u.Hostname(), "80")))) {
		return errors.New("must be a URL such as https://login.example.com")
	}
	*to = text
	return nil
}

// setRoles reads GROUP=ROLE, separated by commas. Package keys knows which roles there are.
func setRoles(to *map[string]string, raw any) error {
	text, ok := raw.(string)
	*to = nil
	for pair := range strings.SplitSeq(text, ",") {
		group, role, found := strings.Cut(strings.TrimSpace(pair), "=")
		if !found && strings.TrimSpace(text) == "" && ok {
			return nil
		}
		if group, role = strings.TrimSpace(group), strings.TrimSpace(role); group == "" || role == "" {
			return errors.New("must be GROUP=ROLE, separated by commas, such as \"warehouse=ship, admins=operate\"")
		}
		if *to == nil {
			*to = map[string]string{}
		}
		(*to)[group] = role
	}
	return nil
}

// hostName is a name or an address, without a port.
var hostName = regexp.MustCompile(`^[0-9A-Za-z._-]+$`)

func setHosts(to *[]string, raw any) error {
	text, ok := raw.(string)
	if !ok {
		return errors.New("must be names in quotes, separated by commas, such as \"stock.example.com, 10.0.0.4\"")
	}
	*to = nil
	for name := range strings.SplitSeq(text, ",") {
		name = strings.Trim(strings.TrimSpace(name), "[]")
		if _, err := netip.ParseAddr(name); err != nil && !hostName.MatchString(name) {
			if strings.TrimSpace(text) == "" {
				break
			}
			return errors.New("must be names without scheme, port and path, separated by commas, such as stock.example.com, 10.0.0.4")
		}
		*to = append(*to, name)
	}
	return nil
}

// duration is the range of durations that a setting allows.
type duration struct {
	min, max time.Duration
	unit     time.Duration // the value must be a multiple of it; 0 allows any value
	zero     bool          // 0s is allowed too, and turns the setting off
	message  string        // what a refused value must be
}

// The durations that can be set.
var (
	ttl = duration{min: time.Second, max: forever, unit: time.Second, message: "must be whole seconds, 1s or more"}

	retention = duration{min: time.Minute, max: forever,
		message: "must be 1m or more, so that a repeated call finds its answer"}

	// The maximum is less than a call and a shutdown may take; see internal/api.
	confirmWait = duration{min: time.Millisecond, max: 15 * time.Second, message: "must be between 1ms and 15s"}

	shutdownNotice = duration{min: time.Millisecond, max: 5 * time.Minute, zero: true,
		message: "must be 0s, or between 1ms and 5m"}

	soldOutCache = duration{min: cache.SoldOutCacheMin, max: cache.SoldOutCacheMax, zero: true,
		message: fmt.Sprintf("must be 0s, or between %s and %s", cache.SoldOutCacheMin, cache.SoldOutCacheMax)}
)

const forever = time.Duration(1<<63 - 1)

// set reads a duration with its unit into to. It refuses a bare number, even 0: a number could mean
// seconds or milliseconds.
func (d duration) set(to *time.Duration, raw any) error {
	text, _ := raw.(string)
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return errors.New("must have a unit, such as 10m, 90s or 24h")
	}
	value, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("must be a duration with a unit, such as 10m, 90s or 24h")
	case value == 0 && d.zero:
	case value < d.min, value > d.max, d.unit != 0 && value%d.unit != 0:
		return errors.New(d.message)
	}
	*to = value
	return nil
}

// plain formats a duration without zero parts: 10m, not 10m0s.
func plain(d time.Duration) string {
	switch {
	case d != 0 && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d != 0 && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}
