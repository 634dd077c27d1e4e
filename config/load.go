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

// FileDefault is read from the working directory where no other file is named.
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

// Load reads the configuration: the defaults, overridden by the file, by the variables of env
// (NAME=value each; an empty value counts as not set), and by those of flags that were given.
//
// An empty path is FileDefault, which may be absent; any other file must exist. flags may be nil.
// Load refuses unknown keys and HOLDFAST_ variables. The error is an *Error with every fault.
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

// loader gathers values, where they came from, and what is wrong with them.
type loader struct {
	v       *viper.Viper
	sources map[string]string // key -> where its value came from; absent for a default
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
		l.faults = append(l.faults, Fault{Source: name, Message: "can't be read: " + reason(err)})
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

// reason is the innermost message of err: the outer ones repeat the name of the file.
func reason(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return strings.TrimPrefix(err.Error(), "yaml: ")
}

func unknown(key, source string) Fault {
	return Fault{Key: key, Source: source,
		Message: "is not a setting; the settings are " + strings.Join(Keys(), ", ")}
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

// decode reads every setting into a Config; those at fault keep their zero value.
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

// value is what the setting was set to. A group that is no group hides the defaults below it.
func (l *loader) value(s setting) any {
	if raw := l.v.Get(s.key); raw != nil {
		return raw
	}
	return s.initial
}

// refuse records that the value of key is not allowed.
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
