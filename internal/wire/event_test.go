package wire

import (
	"errors"
	"testing"
)

// TestDecodeEntry_Version checks that a decoder reads the versions up to its newest, and says of a
// newer one that it is newer.
func TestDecodeEntry_Version(t *testing.T) {
	for _, c := range []struct {
		version string
		newest  int
		want    error
	}{
		{"1", 1, nil},
		{"2", 1, ErrNewer},
		{"1", 2, nil},
		{"2", 2, nil},
		{"3", 2, ErrNewer},
		{"0", 2, ErrCorrupt},
		{"-1", 2, ErrCorrupt},
		{"01", 2, ErrCorrupt},
		{"", 2, ErrCorrupt},
		{"two", 2, ErrCorrupt},
	} {
		_, err := decodeEntry("1-1", map[string]any{"v": c.version, "n": "nonce", "e": "1"}, c.newest)
		if !errors.Is(err, c.want) {
			t.Errorf("version %q, newest %d: %v, want %v", c.version, c.newest, err, c.want)
		}
	}
	if _, err := DecodeEntry("1-1", map[string]any{"v": "2", "n": "nonce", "e": "1"}); err != nil {
		t.Errorf("version 2: %v", err)
	}
	if _, err := DecodeEntry("1-1", map[string]any{"v": "3", "n": "nonce", "e": "1"}); !errors.Is(err, ErrNewer) {
		t.Errorf("version 3: %v", err)
	}
}
