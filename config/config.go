// Package config reads the configuration from a file, from environment variables and from flags. A
// variable overrides the file, and a flag overrides both. Load reports every fault at once, in an
// *Error. No other package uses viper.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Config holds every setting. Load returns it with checked values.
type Config struct {
	HTTP        HTTP
	Redis       Redis
	Postgres    Postgres
	Reservation Reservation

	SoldOutCache time.Duration // how long a process remembers refusals; 0 makes every refusal exact

	Reconcile Reconcile
	Confirm   Confirm
	Directory Directory
	Metrics   Metrics
	Log       Log
	Auth      Auth
}

// HTTP configures the API server.
type HTTP struct {
	Listen string   // HOST:PORT; port 0 picks a free one
	Hosts  []string // names and addresses that callers may send in Host, besides those of loopback

	TLS            TLSFiles      // the server's certificate; the zero value means no TLS
	ShutdownNotice time.Duration // how long /readyz answers 503 before a stopping server refuses requests
}

// TLSFiles names files with certificates and keys, PEM.
type TLSFiles struct {
	Cert, Key string
	CA        string // who signs the certificates of the other side
}

// Redis configures the Redis that counts stock.
type Redis struct {
	Endpoint Endpoint // from redis.url; the zero value means the embedded engine
	Prefix   string   // start of every key
	Shards   int      // always 1 for now
}

// Postgres configures the ledger's database.
type Postgres struct {
	URL             Secret // may contain a password; "" means a ledger in memory, with the embedded engine only
	SessionURL      Secret // for the lock of the reconciler; "" means URL
	PageConnections int    // for lists and searches
}

// Reconcile configures how the event stream reaches the ledger.
type Reconcile struct {
	BacklogMax int64 // waiting entries at which reserve is refused
}

// Reservation configures deadlines and retention.
type Reservation struct {
	TTL       time.Duration // default deadline, whole seconds
	TTLMax    time.Duration // longest deadline that a caller may ask for, whole seconds
	Retention time.Duration // how long Redis keeps resolved reservations
}

// Confirm configures confirm.
type Confirm struct {
	Wait time.Duration // longest wait for the ledger
}

// Directory configures the routing directory.
type Directory struct {
	File      string // the only source of the directory; "" means the ledger
	Centroids string // file with the positions of postal codes; "" means countries only
}

// Metrics configures where Prometheus finds the metrics.
type Metrics struct {
	Listen string // HOST:PORT; "" means the address of the API
}

// Log configures the log.
type Log struct {
	Level  slog.Level
	Format LogFormat
}

// LogFormat is the form of the lines of the log.
type LogFormat string

// The forms of the log.
const (
	LogAuto LogFormat = "auto" // text on a terminal, JSON elsewhere
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Auth configures who may call the API.
type Auth struct {
	Mode     AuthMode // AuthOff or AuthKeys
	KeysFile string   // file with hashes of keys; "" means only those of the ledger
	OIDC     OIDC
	Rate     int // requests a second of a key that has no rate of its own; 0 means any number
}

// OIDC configures the provider at which people sign in.
type OIDC struct {
	Issuer   string            // its URL; "" means that there is none
	Audience string            // that a token must name
	Claim    string            // of a token, with names of roles or groups
	Roles    map[string]string // of each group
}

// AuthMode is a way to authenticate callers.
type AuthMode string

const (
	authAuto AuthMode = "auto"
	AuthOff  AuthMode = "off"  // accepts every caller
	AuthKeys AuthMode = "keys" // accepts callers with a key
)

// Secret is text that is never printed or logged.
type Secret string

// String returns "(hidden)", or "" if the secret is empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// Format hides the secret from every verb of package fmt, %d and %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText hides the secret from encoders and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// hiddenBytesMin keeps Hide from replacing short words that are part of ordinary text.
const hiddenBytesMin = 6

// plainNames are user and database names, and plainOptions options of postgres.url, that Hide leaves.
var (
	plainNames   = []string{"holdfast", "postgres", "default"}
	plainOptions = []string{"host", "sslmode", "target_session_attrs", "channel_binding", "application_name"}
)

// connecting is how the Postgres driver names the user and the database.
var connecting = regexp.MustCompile("user=[^`\\n]* database=[^`\\n]*")

// Hide hides every part of redis.url and postgres.url but the hosts in text, which may be an error of a
// server or a library.
func (c Config) Hide(text string) string {
	e := c.Redis.Endpoint
	parts := []string{e.Username, string(e.Password), e.SentinelUsername, string(e.SentinelPassword)}
	if u, err := url.Parse(string(c.Postgres.URL)); err == nil {
		password, _ := u.User.Password()
		parts = append(parts, u.User.Username(), password, strings.TrimPrefix(u.Path, "/"))
		for option, values := range u.Query() {
			if !slices.Contains(plainOptions, option) {
				parts = append(parts, values...)
			}
		}
	}
	for _, part := range parts {
		if len(part) >= hiddenBytesMin && !slices.Contains(plainNames, part) {
			text = strings.ReplaceAll(text, part, "(hidden)")
		}
	}
	return connecting.ReplaceAllString(text, "user=(hidden) database=(hidden)")
}
