package wire

import "strconv"

// Position is how far the ledger has applied the stream of a shard, and which Redis that stream is
// in.
type Position struct {
	Epoch         uint64
	Sequence      uint64 // with Epoch, the id of the last applied entry
	Nonce         string // of that entry; the same id with another nonce belongs to another history
	RunID         string // of the Redis process, when its scripts were loaded
	ReplicationID string
	Shards        int    // how many there are; fixed when the ledger is initialised
	Prefix        string // of the keys; likewise
	LedgerID      string // random, given when the ledger is initialised; "" of an older program
	SeenAt        int64  // when Redis last matched this position, Unix ms by its own clock
}

// EntryID returns the id of the last applied entry, as the stream has it.
func (p Position) EntryID() string {
	return strconv.FormatUint(p.Epoch, 10) + "-" + strconv.FormatUint(p.Sequence, 10)
}
