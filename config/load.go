package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// FileDefault is the file in the working directory that Load reads if no other file is named.
const FileDefault = "holdfast.yaml"

const fromDefault = "the default"

// AddFlags adds a flag for each setting to flags, such as --redis-url for redis.url.
func AddFlags(flags *pflag.FlagSet) {
	for _, s := range settings {
		flags.String(s.flag(), fmt.Sprint(s.initial), s.usage)
		if _, isBool := s.initial.(bool); isBool {
			flags.Lookup(s.flag()).NoOptDefVal = "true"
		}
	}
}

// Load reads the configuration. The file overrides the defaults, env overrides the file, and the
// flags that were given override both. Each entry of env is NAME=value; an empty value counts as
// not set.
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
	l.check(c)
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
	text, err := os.ReadFile(name)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.faults = append(l.faults, Fault{Source: name, Message: "cannot be read: " + reason(err)})
		return
	}
	l.v.SetConfigType("yaml")
	if err := l.v.ReadConfig(bytes.NewReader(text)); err != nil {
		l.faults = append(l.faults, Fault{Source: name, Message: "is not YAML: " + reason(err)})
		return
	}
	for _, key := range l.v.AllKeys() {
		if _, known := find(key); known {
			if l.v.InConfig(key) {
				l.sources[key] = name
			}
			continue
		}
		l.faults = append(l.faults, unknown(key, name))
	}
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
	if raw := l.v.Get(s.key); raw != nil {
		return raw
	}
	return s.initial
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
