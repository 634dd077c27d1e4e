package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/holdfast/holdfast/internal/inputfile"
)

// FileDefault is the file in the working directory that Load reads if no other file is named.
const FileDefault = "holdfast.yaml"

// configFile limits the size of a configuration.
var configFile = inputfile.Kind{Name: "a configuration", BytesMax: 1 << 20}

const fromDefault = "the default"

// AddFlags adds a flag for each setting to flags, such as --redis-url for redis.url. Load checks their
// values.
func AddFlags(flags *pflag.FlagSet) {
	for _, s := range settings {
		initial := fmt.Sprint(s.initial)
		f := flags.VarPF(&flagValue{initial, s.kind()}, s.flag(), "", s.usage)
		if f.Value.Type() == "bool" {
			f.NoOptDefVal = "true"
		}
	}
}

// flagValue is the text of a flag, and what kind of value --help says it is.
type flagValue struct{ text, kind string }

func (v *flagValue) String() string { return v.text }

// Type implements pflag.Value.
func (v *flagValue) Type() string { return v.kind }

// Set implements pflag.Value.
func (v *flagValue) Set(text string) error { v.text = text; return nil }

// Load reads the configuration. The file overrides the defaults, env overrides the file, and the
// flags that were given override both. Each entry of env is NAME=value; an empty value counts as
// not set. A secret may also come from the file that a variable names: HOLDFAST_REDIS_URL_FILE.
//
// An empty path means FileDefault, which may be absent; any other file must exist. flags may be
// nil. Load refuses unknown keys and unknown HOLDFAST_ variables. The error is an *Error with
// every fault.
func Load(flags *pflag.FlagSet, path string, env []string) (Config, error) {
	l := &loader{v: viper.New(), sources: map[string]string{}}
	for _, s := range settings {
		l.v.SetDefault(s.key, s.initial)
	}
	l.readFile(path)
	l.readEnvironment(env)
	l.readFlags(flags)
	c := l.decode()
	if c.Auth.Mode == authAuto {
		c.Auth.Mode = AuthKeys
		if c.Redis.Endpoint.Embedded() && c.Auth.KeysFile == "" && c.Auth.OIDC.Issuer == "" {
			c.Auth.Mode = AuthOff
		}
	}
	l.check(c, env)
	if len(l.faults) > 0 {
		return Config{}, &Error{Faults: l.faults}
	}
	return c, nil
}

// loader collects values, their sources and their faults.
type loader struct {
	v       *viper.Viper
	sources map[string]string // key -> source of its value; absent for a default
	faults  []Fault
	bad     map[string]bool // keys that already have a fault
}

func (l *loader) readFile(path string) {
	name := path
	if path == "" {
		name = FileDefault
	}
	text, err := configFile.Read(name)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.faults = append(l.faults, Fault{Source: name, Message: "cannot be read: " + reason(err)})
		return
	}
	l.v.SetConfigType("yaml")
	if err := l.v.ReadConfig(bytes.NewReader(text)); err != nil {
		l.faults = append(l.faults, Fault{Source: name, Message: "is not YAML: " + yamlReason(err)})
		return
	}
	for _, key := range l.v.AllKeys() {
		if _, known := find(key); known {
			if l.v.InConfig(key) {
				l.sources[key] = name
			}
			continue
		}
		l.faults = append(l.faults, unknown(printedKey(key), name))
	}
}

var plainKey = regexp.MustCompile(`^[a-z0-9_.-]+$`)

// printedKey hides the parts of an unknown key that may be a misplaced value.
func printedKey(key string) string {
	for _, s := range settings {
		if s.secret && strings.HasPrefix(key, s.key+".") {
			return s.key + ".(hidden)"
		}
	}
	if !plainKey.MatchString(key) {
		return "(hidden)"
	}
	return key
}

// yamlQuoted is text that an error of the YAML library quotes from the file.
var yamlQuoted = regexp.MustCompile("(?s)`.*`|\".*\"|'.*'")

// yamlReason returns what is wrong with a YAML file, without values of the file.
func yamlReason(err error) string {
	return yamlQuoted.ReplaceAllStringFunc(reason(err), func(quoted string) string {
		key := quoted[1 : len(quoted)-1]
		known := slices.ContainsFunc(settings, func(s setting) bool {
			return strings.HasPrefix(s.key+".", key+".") || strings.HasSuffix(s.key, "."+key)
		})
		if known {
			return quoted
		}
		return "(hidden)"
	})
}

// reason returns the innermost message of err. The outer ones repeat the name of the file.
func reason(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return strings.TrimPrefix(err.Error(), "yaml: ")
}

func unknown(key, source string) Fault {
	return Fault{Key: key, Source: source,
		Message: "is not a setting: use one of " + strings.Join(Keys(), ", ")}
}

func (l *loader) readFlags(flags *pflag.FlagSet) {
	if flags == nil {
		return
	}
	for _, s := range settings {
		if f := flags.Lookup(s.flag()); f != nil && f.Changed {
			l.set(s.key, f.Value.String(), "--"+f.Name)
		}
	}
}

func (l *loader) set(key, value, source string) {
	l.v.Set(key, value)
	l.sources[key] = source
}

// decode reads every setting into a Config. A setting with a fault keeps its zero value.
func (l *loader) decode() Config {
	var c Config
	l.bad = map[string]bool{}
	for _, s := range settings {
		if err := s.set(&c, l.value(s)); err != nil {
			l.refuse(s.key, err.Error())
		}
	}
	slices.SortStableFunc(l.faults, func(a, b Fault) int { return strings.Compare(a.Key, b.Key) })
	return c
}

// value returns the value of the setting. viper returns nil for a default if the file sets the
// setting's group to a scalar.
func (l *loader) value(s setting) any {
	switch raw := l.v.Get(s.key).(type) {
	case nil:
		return s.initial
	case string:
		return s.trimmed(raw)
	default:
		return raw
	}
}

// refuse adds a fault for the value of key.
func (l *loader) refuse(key, message string) {
	s, _ := find(key)
	source, given := l.sources[key]
	if !given {
		source = fromDefault
	}
	l.bad[key] = true
	l.faults = append(l.faults, Fault{
		Key: key, Value: s.printed(l.value(s)), Source: source, Message: message,
	})
}

const environmentPrefix = "HOLDFAST_"

// ServerVariable and KeyVariable name the environment variables with the server that client commands
// call, and with their key. They are no settings.
const (
	ServerVariable = "HOLDFAST_SERVER"
	KeyVariable    = "HOLDFAST_KEY"
)

// Kubernetes sets such variables in every container next to a Service whose name begins with
// holdfast. Nobody chose them, so they are ignored.
var (
	serviceVariable = regexp.MustCompile(`^HOLDFAST_([A-Z0-9_]+_)?` +
		`(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	servicePort  = regexp.MustCompile(`^HOLDFAST_([A-Z0-9_]+_)?PORT$`)
	serviceValue = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

func (l *loader) readEnvironment(env []string) {
	byVariable := make(map[string]setting, len(settings))
	for _, s := range settings {
		byVariable[s.variable()] = s
		if s.secret {
			byVariable[s.fileVariable()] = s
		}
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, environmentPrefix) || name == ServerVariable || name == KeyVariable || fromKubernetes(name, value) {
			continue
		}
		s, known := byVariable[name]
		if s.secret && name == s.fileVariable() {
			l.readSecret(s, Trim(value))
			continue
		}
		if !known {
			l.faults = append(l.faults, unknown(name, "the environment"))
			continue
		}
		if s.trimmed(value) != "" {
			l.set(s.key, value, name)
		}
	}
	for _, s := range settings {
		if s.secret && given(env, s.fileVariable()) && given(env, s.variable()) {
			l.faults = append(l.faults, Fault{Key: s.key, Source: "the environment",
				Message: "is set by " + s.variable() + " and by " + s.fileVariable() + ": leave one out"})
		}
	}
}

// secretFile limits the size of a file with a secret.
var secretFile = inputfile.Kind{Name: "a secret", BytesMax: 64 << 10}

// readSecret sets a secret from the file that its file variable names. The fault does not print the
// name: it is the secret itself if somebody confused the variables.
func (l *loader) readSecret(s setting, path string) {
	if path == "" {
		return
	}
	text, err := secretFile.Read(path)
	if err == nil && s.trimmed(string(text)) == "" {
		err = errors.New("is empty")
	}
	if err != nil {
		l.faults = append(l.faults, Fault{Key: s.key, Source: s.fileVariable(),
			Message: "must name a file with the value: " + strings.ReplaceAll(reason(err), path, "(hidden)")})
		l.set(s.key, fmt.Sprint(s.initial), s.fileVariable())
		return
	}
	l.set(s.key, string(text), s.fileVariable())
}

// given reports whether env sets the variable.
func given(env []string, variable string) bool {
	return slices.ContainsFunc(env, func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		return name == variable && Trim(value) != ""
	})
}

func fromKubernetes(name, value string) bool {
	return serviceVariable.MatchString(name) ||
		servicePort.MatchString(name) && serviceValue.MatchString(value)
}

// check refuses values that are allowed alone but not together. It skips a key that already has a
// fault, because its intended value is unknown.
func (l *loader) check(c Config, env []string) {
	e := c.Redis.Endpoint
	if !l.anyBad("reservation.ttl", "reservation.ttl_max") && c.Reservation.TTL > c.Reservation.TTLMax {
		l.refuse("reservation.ttl", "must be at most reservation.ttl_max, which is "+plain(c.Reservation.TTLMax))
	}
	for key, address := range map[string]Secret{"postgres.url": c.Postgres.URL, "postgres.session_url": c.Postgres.SessionURL} {
		if err := checkPostgresFiles(address, env); err != nil {
			l.refuse(key, err.Error())
		}
	}
	for key, value := range map[string]string{"redis.sentinel_username": e.SentinelUsername, "redis.sentinel_password": string(e.SentinelPassword)} {
		if value != "" && e.Primary == "" && !l.anyBad("redis.url") {
			l.refuse(key, "is only for redis+sentinel://: leave it out, or name the sentinels in redis.url")
		}
	}
	if _, given := l.sources["auth.mode"]; given && c.Auth.Mode == AuthKeys && c.Postgres.URL == "" && c.Auth.KeysFile == "" &&
		c.Auth.OIDC.Issuer == "" && !l.anyBad("postgres.url", "auth.keys_file", "auth.oidc.issuer") {
		l.refuse("auth.mode", "needs a place that has the keys: set auth.keys_file or postgres.url, or auth.mode to off")
	}
	if o := c.Auth.OIDC; o.Issuer != "" && (o.Audience == "" || o.Claim == "") && !l.anyBad("auth.oidc.audience", "auth.oidc.claim") {
		l.refuse("auth.oidc.issuer", "needs auth.oidc.audience and auth.oidc.claim: set them too")
	}
	l.checkTLS(c.HTTP.TLS, e)
	if l.anyBad("http.listen") || loopback(c.HTTP.Listen) {
		return
	}
	if !l.anyBad("redis.url") && e.Embedded() {
		l.refuse("http.listen", "must be a loopback address, such as 127.0.0.1:8080, while redis.url is empty: "+
			"the embedded engine is only for trials; set redis.url for real use")
	}
	if !l.anyBad("auth.mode") && c.Auth.Mode == AuthOff {
		l.refuse("http.listen", "must be a loopback address, such as 127.0.0.1:8080, while auth.mode is off: "+
			"anyone who reaches the address can change stock; set auth.mode to keys")
	}
}

// checkTLS refuses a certificate without its key and the reverse, and files that nothing would use.
func (l *loader) checkTLS(server TLSFiles, redis Endpoint) {
	for group, files := range map[string]TLSFiles{"http.tls": server, "redis.tls": redis.TLSFiles} {
		switch {
		case files.Cert != "" && files.Key == "":
			l.refuse(group+".cert", "needs "+group+".key: set it too")
		case files.Cert == "" && files.Key != "":
			l.refuse(group+".key", "needs "+group+".cert: set it too")
		}
	}
	if server.CA != "" && server.Cert == "" {
		l.refuse("http.tls.client_ca", "needs http.tls.cert and http.tls.key: set them too")
	}
	if redis.TLSFiles != (TLSFiles{}) && !redis.TLS && !l.anyBad("redis.url") {
		l.refuse("redis.url", "must begin with rediss:// or rediss+sentinel://, because redis.tls is set")
	}
}

func (l *loader) anyBad(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return l.bad[key] })
}

// loopback reports whether only this machine can reach address. It looks up no names but
// localhost, because the answer could change later.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
