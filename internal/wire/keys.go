package wire

import (
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// Keys are the names of the keys of one shard. The part in braces puts them all in one hash slot.
type Keys struct {
	Stock        string // hash: level -> available; epoch, gate and other fields below
	Levels       string // hash: level -> on hand and other counts; locations, removed, counted
	Reservations string // hash: id -> record
	Operations   string // hash: id -> fingerprint, time, nonce
	Deadlines    string // zset: deadline -> ids, packed
	Limits       string // hash: limit, identity -> units
	Events       string // stream
}

// The fields of stock and levels that are not levels. The name of a level always has a unit
// separator.
const (
	FieldEpoch       = "epoch"
	FieldGate        = "gate"         // one of the words below; none means open
	FieldLocations   = "locations"    // the list of locations in levels, and its version in stock
	FieldExpireUntil = "expire_until" // Unix ms
	FieldLedger      = "ledger"       // id of the ledger that Redis was rebuilt from
	FieldUnfinished  = "unfinished"   // a rebuild is under way
	FieldGraceUntil  = "grace_until"  // Unix ms: until then expire_until does not move
	FieldRemoved     = "removed"      // id of the entry of the last removal
	FieldCounted     = "counted"      // id of the entry of the last count that changed on hand
)

// The words of the gate.
const (
	GateOpen    = "open"
	GateBacklog = StatusBacklog // refuses reserve
	GateLoading = StatusLoading // refuses every verb until a rebuild is done
	GateStopped = StatusStopped // refuses every verb until an operator decides
)

// Shards is the number of shards. It is one for now, and only this constant assumes that.
const Shards = 1

// ShardOf returns which of n shards has a SKU with all its locations. It must never change: a SKU
// that moved to another shard would leave its units behind.
func ShardOf(sku location.SKU, n uint32) int { return int(crc32.ChecksumIEEE([]byte(sku)) % n) }

// KeysOf returns the keys of a shard.
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

// Of returns the keys of a verb in the order in which its script binds them.
func (k Keys) Of(verb Verb) []string {
	switch verb {
	case VerbReserve, VerbDescribe, VerbExpire:
		return []string{k.Stock, k.Reservations, k.Deadlines, k.Limits, k.Events}
	case VerbProbe:
		return []string{k.Stock, k.Reservations, k.Limits}
	case VerbConfirm, VerbAudit, VerbRepair:
		return []string{k.Stock, k.Levels, k.Reservations, k.Deadlines, k.Limits, k.Events}
	case VerbRelease, VerbReturn:
		return []string{k.Stock, k.Levels, k.Reservations, k.Operations, k.Limits, k.Events}
	case VerbExtend:
		return []string{k.Stock, k.Reservations, k.Deadlines, k.Events}
	case VerbFulfill, VerbUnfulfill:
		return []string{k.Stock, k.Levels, k.Reservations, k.Operations, k.Events}
	case VerbAdjust, VerbRevert:
		return []string{k.Stock, k.Levels, k.Operations, k.Events}
	case VerbMove, VerbAmend, VerbRemove, VerbTransfer, VerbCompensate, VerbBegin:
		return []string{k.Stock, k.Levels, k.Reservations, k.Operations, k.Deadlines, k.Limits, k.Events}
	case VerbForget:
		return []string{k.Stock, k.Reservations, k.Operations}
	case VerbHousekeep, VerbAdopt:
		return []string{k.Stock, k.Events}
	case VerbLoad:
		return []string{k.Stock, k.Levels, k.Reservations, k.Operations, k.Limits, k.Deadlines}
	case VerbOpen:
		return []string{k.Stock, k.Levels}
	default:
		panic("wire: no keys for verb " + string(verb))
	}
}

// LevelField returns the field of a level in stock and levels.
func LevelField(sku location.SKU, at location.ID) string {
	return string(sku) + UnitSeparator + string(at)
}

// CutLevel splits the field of a level. ok is false if name has no unit separator.
func CutLevel(name string) (sku location.SKU, at location.ID, ok bool) {
	s, a, ok := strings.Cut(name, UnitSeparator)
	return location.SKU(s), location.ID(a), ok
}

// SplitLevel splits the field of a level, as CutLevel does. ok is false if the SKU or the location
// is not a valid identifier.
func SplitLevel(name string) (sku location.SKU, at location.ID, ok bool) {
	sku, at, ok = CutLevel(name)
	return sku, at, ok && location.IsIdentifier(string(sku)) && location.IsIdentifier(string(at))
}

// DeadlineIDs returns the ids that are packed into a member of deadlines.
func DeadlineIDs(member string) []string { return strings.Split(member, UnitSeparator) }
