package cache

import (
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// The separators of everything that is packed into one text. Identifiers carry no control
// characters, so none can forge another.
const (
	unitSeparator   = "\x1f" // between the fields of a list
	recordSeparator = "\x1e" // between lines
	groupSeparator  = "\x1d" // between events
)

// keys are the fixed keys of one shard. The braces make them one hash slot.
type keys struct {
	stock        string // hash: level -> available; epoch, gate, locations
	levels       string // hash: level -> on hand, committed, safety stock, backorder limit, last repair; locations, removed, counted
	reservations string // hash: id -> record
	operations   string // hash: id -> fingerprint, time, nonce
	deadlines    string // zset: deadline -> ids, packed
	limits       string // hash: limit, customer -> units
	events       string // stream
}

// The fields of stock and levels that are no level: a level's name always has a unit separator.
const (
	fieldEpoch       = "epoch"
	fieldGate        = "gate"         // absent or one of the words below
	fieldLocations   = "locations"    // in stock its version, in levels the list
	fieldExpireUntil = "expire_until" // Unix ms
	fieldRemoved     = "removed"      // entry of the last removal
	fieldCounted     = "counted"      // entry of the last count that changed any on hand
)

// What the gate says: backlog refuses reserve; loading and stopped refuse every verb, the latter until
// an operator has decided.
const (
	gateOpen    = "open"
	gateBacklog = "backlog"
	gateLoading = "loading"
	gateStopped = "stopped"
)

// shards is how many there are; one for now, and this is the one place that assumes it.
const shards = 1

// shardOf says which of n shards a SKU belongs to, with all its locations. It is fixed for ever: a
// SKU that moved would leave its units behind.
func shardOf(sku location.SKU, n uint32) int { return int(crc32.ChecksumIEEE([]byte(sku)) % n) }

func keysOf(prefix string, shard int) keys {
	tag := "{" + prefix + ":" + strconv.Itoa(shard) + "}:"
	return keys{
		stock:        tag + "stock",
		levels:       tag + "levels",
		reservations: tag + "reservations",
		operations:   tag + "operations",
		deadlines:    tag + "deadlines",
		limits:       tag + "limits",
		events:       tag + "events",
	}
}

// of lists a verb's keys in the order its script binds them.
func (k keys) of(verb verbT) []string {
	switch verb {
	case verbReserve, verbExpire:
		return []string{k.stock, k.reservations, k.deadlines, k.limits, k.events}
	case verbProbe:
		return []string{k.stock, k.reservations, k.limits}
	case verbConfirm, verbMove:
		return []string{k.stock, k.levels, k.reservations, k.deadlines, k.limits, k.events}
	case verbRelease:
		return []string{k.stock, k.levels, k.reservations, k.limits, k.events}
	case verbExtend:
		return []string{k.stock, k.reservations, k.deadlines, k.events}
	case verbAdjust:
		return []string{k.stock, k.levels, k.operations, k.events}
	case verbReturn:
		return []string{k.stock, k.levels, k.reservations, k.operations, k.events}
	case verbRemove, verbTransfer:
		return []string{k.stock, k.levels, k.reservations, k.operations, k.deadlines, k.limits, k.events}
	default: // fulfill
		return []string{k.stock, k.levels, k.reservations, k.events}
	}
}

// levelName is the field of a level in stock and levels.
func levelName(sku location.SKU, at location.ID) string {
	return string(sku) + unitSeparator + string(at)
}

// splitLevel is the inverse of levelName; ok is false for a field that is no level.
func splitLevel(name string) (sku location.SKU, at location.ID, ok bool) {
	s, a, ok := strings.Cut(name, unitSeparator)
	return location.SKU(s), location.ID(a), ok
}
