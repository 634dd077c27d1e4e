package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	prefixBytesMax  = 64               // bytes of redis.prefix
	retentionMin    = time.Minute      // a shorter one would forget ids that callers still repeat
	backlogLeast    = 1_000            // a burst is no backlog
	backlogMost     = 100_000_000      // tens of GB of Redis
	confirmWaitMax  = 15 * time.Second // less than a call and a shutdown may take: see internal/api
	durationExample = "such as 10m, 90s or 24h"
)

// setting is one key of the configuration.
type setting struct {
	key     string
	initial any    // the default
	usage   string // one line, for the flag
	secret  bool   // its value may carry a password
	set     func(c *Config, raw any) error
}

// settings is every key there is, in the order of the example file.
var settings = []setting{
	{"http.listen", "127.0.0.1:8080", "address to listen on; port 0 takes a free one", false,
		func(c *Config, raw any) error { return setListen(&c.HTTP.Listen, raw) }},
	{"http.allow_insecure", false, "serve without keys beyond loopback", false,
		func(c *Config, raw any) error { return setBool(&c.HTTP.AllowInsecure, raw) }},
	{"redis.url", "", "redis:// or rediss://, several hosts for Cluster; empty: embedded", true,
		func(c *Config, raw any) error { return setEndpoint(&c.Redis.Endpoint, raw) }},
	{"redis.prefix", "holdfast", "beginning of every key", false,
		func(c *Config, raw any) error { return setPrefix(&c.Redis.Prefix, raw) }},
	{"redis.shards", 1, "number of shards; only 1 for now", false,
		func(c *Config, raw any) error { return setShards(&c.Redis.Shards, raw) }},
	{"postgres.url", "", "postgres://, the ledger; empty: in memory, beside the embedded engine", true,
		func(c *Config, raw any) error { return setPostgres(&c.Postgres.URL, raw) }},
	{"reservation.ttl", "10m", "deadline of a reservation that names none", false,
		func(c *Config, raw any) error { return setSeconds(&c.Reservation.TTL, raw) }},
	{"reservation.ttl_max", "24h", "longest deadline that may be asked for", false,
		func(c *Config, raw any) error { return setSeconds(&c.Reservation.TTLMax, raw) }},
	{"reservation.retention", "24h", "how long Redis keeps resolved reservations", false,
		func(c *Config, raw any) error { return setRetention(&c.Reservation.Retention, raw) }},
	{"sold_out_cache", "0s", "how long reserve goes by what was refused; 0s: every refusal is exact", false,
		func(c *Config, raw any) error { return setSoldOutCache(&c.SoldOutCache, raw) }},
	{"reconcile.backlog_max", 250_000, "entries waiting for the ledger from which reserve is refused", false,
		func(c *Config, raw any) error { return setBacklog(&c.Reconcile.BacklogMax, raw) }},
	{"confirm.wait", "5s", "longest wait of a durable call for the ledger", false,
		func(c *Config, raw any) error { return setWait(&c.Confirm.Wait, raw) }},
	{"directory.file", "", "file that is the only source of the routing directory; empty: the ledger keeps it", false,
		func(c *Config, raw any) error { return setFile(&c.Directory.File, raw) }},
	{"directory.centroids", "", "CSV file of positions by postal code, for the nearest location; empty: by country", false,
		func(c *Config, raw any) error { return setFile(&c.Directory.Centroids, raw) }},
	{"auth.mode", string(AuthOff), "who may call; only off for now", false,
		func(c *Config, raw any) error { return setAuth(&c.Auth.Mode, raw) }},
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

// flag is the name of the setting's flag, such as reservation-ttl-max.
func (s setting) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(s.key) }

// variable is the name of the setting's environment variable.
func (s setting) variable() string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// printed is raw as a fault may show it.
func (s setting) printed(raw any) string {
	text, ok := raw.(string)
	switch {
	case !ok && s.secret:
		return "(hidden)"
	case !ok:
		return fmt.Sprint(raw)
	case s.secret:
		text = redact(text)
	}
	return fmt.Sprintf("%q", text)
}

func setPrefix(to *string, raw any) error {
	text, ok := raw.(string)
	bad := func(r rune) bool { return r == '{' || r == '}' || unicode.IsControl(r) }
	if !ok || text == "" || text == "." || text == ".." || len(text) > prefixBytesMax ||
		!utf8.ValidString(text) || strings.ContainsFunc(text, bad) {
		return fmt.Errorf("must be text of 1 to %d bytes without { } and control characters", prefixBytesMax)
	}
	*to = text
	return nil
}

func setFile(to *string, raw any) error {
	text, ok := raw.(string)
	if !ok || strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("must be the name of a file")
	}
	*to = text
	return nil
}

func setShards(to *int, raw any) error {
	if fmt.Sprint(raw) != "1" {
		return errors.New("must be 1: more than one shard is not built yet, " +
			"and every cart is one atomic step only while all stock is in one shard")
	}
	*to = 1
	return nil
}

// setPostgres checks that raw is a URL as libpq takes it; what only a connection can tell is left to it.
func setPostgres(to *Secret, raw any) error {
	text, ok := raw.(string)
	if !ok {
		return errPostgres
	}
	if text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" && u.Query().Get("host") == "" {
			return errPostgres // never with its own words: they would carry the password
		}
	}
	*to = Secret(text)
	return nil
}

var errPostgres = errors.New("must be a URL, such as postgres://user:password@127.0.0.1:5432/holdfast " +
	"(in a password, / ? # @ : and % are percent-encoded)")

func setBacklog(to *int64, raw any) error {
	n, err := strconv.ParseInt(fmt.Sprint(raw), 10, 64)
	if err != nil || n < backlogLeast || n > backlogMost {
		return fmt.Errorf("must be a whole number from %d to %d", backlogLeast, backlogMost)
	}
	*to = n
	return nil
}

func setAuth(to *AuthMode, raw any) error {
	switch raw {
	case string(AuthOff):
		*to = AuthOff
		return nil
	case "keys":
		return errors.New(`must be "off": "keys" is not available yet`)
	}
	return errors.New(`must be "off"`)
}

func setEndpoint(to *Endpoint, raw any) error {
	text, ok := raw.(string)
	if !ok {
		return errors.New("must be a URL, such as redis://127.0.0.1:6379")
	}
	e, err := parseEndpoint(text)
	*to = e
	return err
}

func setBool(to *bool, raw any) error {
	switch raw {
	case true, "true":
		*to = true
	case false, "false":
		*to = false
	default:
		return errors.New("must be true or false")
	}
	return nil
}
