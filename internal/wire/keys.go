package wire

import (
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// The separators of everything that is packed into one text. Identifiers carry no control
// characters, so none can forge another.
const (
	UnitSeparator   = "\x1f" // between the fields of a list
	RecordSeparator = "\x1e" // between lines
	GroupSeparator  = "\x1d" // between events
)

// Keys are the fixed keys of one shard. The braces make them one hash slot.
type Keys struct {
	Stock        string // hash: level -> available; epoch, gate, locations
	Levels       string // hash: level -> on hand, committed, safety stock, backorder limit, last repair; locations, removed, counted
	Reservations string // hash: id -> record
	Operations   string // hash: id -> fingerprint, time, nonce
	Deadlines    string // zset: deadline -> ids, packed
	Limits       string // hash: limit, customer -> units
	Events       string // stream
}

// The fields of stock and levels that are no level: a level's name always has a unit separator.
const (
	FieldEpoch       = "epoch"
	FieldGate        = "gate"         // absent or one of the words below
	FieldLocations   = "locations"    // in stock its version, in levels the list
	FieldExpireUntil = "expire_until" // Unix ms
	FieldRemoved     = "removed"      // entry of the last removal
	FieldCounted     = "counted"      // entry of the last count that changed any on hand
)

// What the gate says: backlog refuses reserve; loading and stopped refuse every verb, the latter until
// an operator has decided.
const (
	GateOpen    = "open"
	GateBacklog = "backlog"
	GateLoading = "loading"
	GateStopped = "stopped"
)

// Shards is how many there are; one for now, and this is the one place that assumes it.
const Shards = 1

// ShardOf says which of n shards a SKU belongs to, with all its locations. It is fixed for ever: a
// SKU that moved would leave its units behind.
func ShardOf(sku location.SKU, n uint32) int { return int(crc32.ChecksumIEEE([]byte(sku)) % n) }

func KeysOf(prefix string, shard int) Keys {
	tag := "{" + prefix + ":" + strconv.Itoa(shard) + "}:"
	return Keys{
		Stock:        tag + "stock",
		Levels:       tag + "levels",
		Reservations: tag + "reservations",
		Operations:   tag + "operations",
		Deadlines:    tag + "deadlines",
		Limits:       tag + "limits",
		Events:       tag + "events",
	}
}

// Of lists a verb's keys in the order its script binds them.
func (k Keys) Of(verb Verb) []string {
	switch verb {
	case VerbReserve, VerbExpire:
		return []string{k.Stock, k.Reservations, k.Deadlines, k.Limits, k.Events}
	case VerbProbe:
		return []string{k.Stock, k.Reservations, k.Limits}
	case VerbConfirm, VerbMove:
		return []string{k.Stock, k.Levels, k.Reservations, k.Deadlines, k.Limits, k.Events}
	case VerbRelease:
		return []string{k.Stock, k.Levels, k.Reservations, k.Limits, k.Events}
	case VerbExtend:
		return []string{k.Stock, k.Reservations, k.Deadlines, k.Events}
	case VerbAdjust:
		return []string{k.Stock, k.Levels, k.Operations, k.Events}
	case VerbReturn:
		return []string{k.Stock, k.Levels, k.Reservations, k.Operations, k.Events}
	case VerbRemove, VerbTransfer:
		return []string{k.Stock, k.Levels, k.Reservations, k.Operations, k.Deadlines, k.Limits, k.Events}
	default: // fulfill
		return []string{k.Stock, k.Levels, k.Reservations, k.Events}
	}
}

// LevelField is the field of a level in stock and levels.
func LevelField(sku location.SKU, at location.ID) string {
	return string(sku) + UnitSeparator + string(at)
}

// splitLevel is the inverse of LevelField; ok is false for a field that is no level.
func CutLevel(name string) (sku location.SKU, at location.ID, ok bool) {
	s, a, ok := strings.Cut(name, UnitSeparator)
	return location.SKU(s), location.ID(a), ok
}
