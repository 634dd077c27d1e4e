// Package keys checks the API keys with which callers say who they are, and in which roles.
package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The limits of a key.
const (
	NameBytesMax         = 64
	ChannelsMax          = 100
	RequestsPerSecondMax = 1_000_000
	KeysMax              = 10_000 // keys that a server knows
)

// Role is what a key may do.
type Role string

// The roles. A key has one or more. Each role but Open includes Read.
const (
	Open    Role = "open"    // of a route that needs no key
	Read    Role = "read"    // reads reservations, stock and the directory
	Sell    Role = "sell"    // reserves, and changes reservations
	Ship    Role = "ship"    // records what leaves, comes back and moves
	Stock   Role = "stock"   // counts, adjusts, transfers and removes stock
	Operate Role = "operate" // changes the directory, audits and repairs
)

// Roles lists the roles that a key can have.
var Roles = []Role{Read, Sell, Ship, Stock, Operate}

// Hash is the SHA-256 of the text of a key. The text can't be found from it, because it has 256 random
// bits.
type Hash [sha256.Size]byte

// HashOf returns the hash of the text of a key.
func HashOf(text string) Hash { return sha256.Sum256([]byte(text)) }

// MarshalText returns the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads a hash in hexadecimal.
func (h *Hash) UnmarshalText(text []byte) error {
	read, err := hex.DecodeString(string(text))
	if err != nil || len(read) != len(h) {
		return errors.New("must be the SHA-256 of a key, 64 hexadecimal digits")
	}
	copy(h[:], read)
	return nil
}

// Key is what a server knows of a key. It holds no text that a caller could use.
type Key struct {
	ID        string
	Name      string // of the program that has it; the actor of what it changes
	Roles     []Role
	Channels  []string // it sees and makes only reservations of these; none: of all
	Hash      Hash
	Rate      int // requests a second; 0: the server's default
	CreatedAt time.Time
	CreatedBy string
	ExpiresAt time.Time // zero: never
	RevokedAt time.Time // zero: it is not revoked
	RevokedBy string
}

// The text of a key is hf_<id>_<secret>. The last digits of the secret are a checksum of the rest.
const (
	prefix         = "hf_"
	idBytes        = 10
	secretBits     = 256
	checksumBytes  = 7
	secretBytes    = (secretBits+4)/5 + checksumBytes
	keyBytes       = len(prefix) + idBytes + len("_") + secretBytes
	checksumBits   = 32
	bitsOfDigit    = 5
	digits         = "abcdefghijklmnopqrstuvwxyz234567"
	secretRawBytes = secretBits / 8
)

var encoding = base32.NewEncoding(digits).WithPadding(base32.NoPadding)

// Generate returns the id and the text of a new key.
func Generate() (id, text string) {
	id = strings.ToLower(rand.Text()[:idBytes])
	secret := make([]byte, secretRawBytes)
	_, _ = rand.Read(secret) // it never fails
	text = prefix + id + "_" + encoding.EncodeToString(secret)
	sum := checksum(text)
	return id, text + string(sum[:])
}

// checksum returns the CRC-32 of text in seven digits.
func checksum(text string) (sum [checksumBytes]byte) {
	bits := uint64(crc32.ChecksumIEEE([]byte(text))) << (checksumBytes*bitsOfDigit - checksumBits)
	for i := range sum {
		sum[i] = digits[bits>>((checksumBytes-1-i)*bitsOfDigit)&(1<<bitsOfDigit-1)]
	}
	return sum
}

// IDOf returns the id of a key. The error is ErrMistyped.
func IDOf(text string) (id string, err error) {
	if len(text) != keyBytes || text[:len(prefix)] != prefix || text[len(prefix)+idBytes] != '_' {
		return "", ErrMistyped
	}
	start := keyBytes - checksumBytes
	if sum := checksum(text[:start]); string(sum[:]) != text[start:] {
		return "", ErrMistyped
	}
	return text[len(prefix) : len(prefix)+idBytes], nil
}

var (
	validID   = regexp.MustCompile(`^[a-z2-7]{10}$`)
	validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]*$`)
)

// Validate returns what is wrong with a key, or nil.
func (k *Key) Validate() error {
	switch {
	case !validID.MatchString(k.ID):
		return fmt.Errorf("id %q: must be the part of the key between hf_ and the next _", k.ID)
	case len(k.Name) > NameBytesMax || !validName.MatchString(k.Name):
		return fmt.Errorf("name %q: must be 1 to %d letters, digits and . _ @ -, and begin with a letter or a digit", k.Name, NameBytesMax)
	case len(k.Roles) == 0:
		return fmt.Errorf("key %s has no role: give it one or more of %s", k.Name, RoleNames())
	case len(k.Channels) > ChannelsMax || slices.Contains(k.Channels, ""):
		return fmt.Errorf("key %s: channels must be up to %d names", k.Name, ChannelsMax)
	case k.Rate < 0 || k.Rate > RequestsPerSecondMax:
		return fmt.Errorf("key %s: requests a second must be from 0 to %d", k.Name, RequestsPerSecondMax)
	}
	for _, role := range k.Roles {
		if !slices.Contains(Roles, role) {
			return fmt.Errorf("key %s: there is no role %q: use one of %s", k.Name, role, RoleNames())
		}
		if len(k.Channels) > 0 && (role == Stock || role == Operate) {
			return fmt.Errorf("key %s: the role %s acts on all channels: leave out the channels or the role", k.Name, role)
		}
	}
	return nil
}

// RoleNames returns the roles as text, for errors and help.
func RoleNames() string {
	names := make([]string, len(Roles))
	for i, role := range Roles {
		names[i] = string(role)
	}
	return strings.Join(names, ", ")
}

// May reports whether the key has a role, or one that includes it.
func (k *Key) May(role Role) bool {
	return role == Read || slices.Contains(k.Roles, role)
}

// Sees reports whether the key may see and make reservations of a channel.
func (k *Key) Sees(channel string) bool {
	return len(k.Channels) == 0 || slices.Contains(k.Channels, channel)
}
