// Package config reads what an operator may set: from a file, from the environment and from flags,
// in that order of rising precedence. It is the only package that knows viper. Every fault of a
// configuration is reported at once, in an *Error.
package config

import (
	"log/slog"
	"time"
)

// Config is everything that can be set. Load makes it; its values have been checked.
type Config struct {
	HTTP        HTTP
	Redis       Redis
	Postgres    Postgres
	Reservation Reservation

	SoldOutCache time.Duration // how long refusals are remembered; 0: every one is exact

	Reconcile Reconcile
	Confirm   Confirm
	Directory Directory
	Auth      Auth
}

// HTTP is where the API listens.
type HTTP struct {
	Listen        string // HOST:PORT; port 0 takes a free one
	AllowInsecure bool   // serve without keys beyond loopback
}

// Redis is where stock is counted.
type Redis struct {
	Endpoint Endpoint // of redis.url; its zero value asks for the embedded engine
	Prefix   string   // of every key
	Shards   int      // 1 for now
}

// Postgres is where the ledger is.
type Postgres struct {
	URL Secret // it may carry a password; "" is a ledger in memory, beside the embedded engine only
}

// Reconcile is how the event stream reaches the ledger.
type Reconcile struct {
	BacklogMax int64 // entries waiting for the ledger from which reserve is refused
}

// Reservation is the deadlines of reservations.
type Reservation struct {
	TTL       time.Duration // of a reservation that names none, whole seconds
	TTLMax    time.Duration // the longest that may be asked for, whole seconds
	Retention time.Duration // how long Redis keeps what is resolved
}

// Confirm is how confirming waits.
type Confirm struct {
	Wait time.Duration // the longest wait for the ledger
}

// Directory is where the routing directory comes from.
type Directory struct {
	File      string // its only source; "" is the ledger
	Centroids string // file of positions of postal codes; "" knows countries only
}

// Auth is who may call.
type Auth struct {
	Mode AuthMode
}

// AuthMode names a way to tell callers apart.
type AuthMode string

// AuthOff lets everybody in. It is the only mode for now.
const AuthOff AuthMode = "off"

// Secret is text that is never printed.
type Secret string

// String hides the secret, if there is one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
