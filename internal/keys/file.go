package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast/holdfast/internal/inputfile"
)

// file limits the size of a file of keys.
var file = inputfile.Kind{Name: "a file of keys", BytesMax: 8 << 20}

// File is a YAML file of keys. It is a Source.
type File struct{ Path string }

// document is the content of a file of keys.
type document struct {
	Keys []entry `yaml:"keys"`
}

// entry is a key in a file.
type entry struct {
	ID        string    `yaml:"id"`
	Name      string    `yaml:"name"`
	Roles     []Role    `yaml:"roles,flow"`
	Channels  []string  `yaml:"channels,flow,omitempty"`
	Hash      *Hash     `yaml:"hash"`
	Rate      int       `yaml:"requests_per_second,omitempty"`
	ExpiresAt time.Time `yaml:"expires_at,omitempty"`
}

// Keys reads the file.
func (f File) Keys(context.Context) ([]Key, error) {
	text, err := file.Read(f.Path)
	if err != nil {
		return nil, fmt.Errorf("auth.keys_file: %w", err)
	}
	list, err := DecodeFile(text)
	if err != nil {
		return nil, fmt.Errorf("auth.keys_file: %s: %w", f.Path, err)
	}
	return list, nil
}

// DecodeFile reads the content of a file of keys. It refuses unknown fields.
func DecodeFile(text []byte) ([]Key, error) {
	var d document
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&d); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("is not a file of keys: %w", err)
	}
	list := make([]Key, len(d.Keys))
	for i, e := range d.Keys {
		if e.Hash == nil {
			return nil, fmt.Errorf("key %d has no hash: print its entry with `holdfast keys create --print`", i+1)
		}
		list[i] = Key{ID: e.ID, Name: e.Name, Roles: e.Roles, Channels: e.Channels, Hash: *e.Hash, Rate: e.Rate, ExpiresAt: e.ExpiresAt.UTC()}
		if err := list[i].Validate(); err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
	}
	return list, checkTogether(list)
}

// EncodeFile returns the content of a file with one key, or the entry to add to one.
func EncodeFile(k *Key) string {
	text, err := yaml.Marshal(document{[]entry{{
		ID: k.ID, Name: k.Name, Roles: k.Roles, Channels: k.Channels, Hash: &k.Hash, Rate: k.Rate, ExpiresAt: k.ExpiresAt.UTC(),
	}}})
	if err != nil {
		panic(err) // our own types always encode
	}
	return string(text)
}
