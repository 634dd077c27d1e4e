package wire

import "strconv"

// EntryID is the id of the last applied entry, as the stream has it.
func (p Position) EntryID() string {
	return strconv.FormatUint(p.Epoch, 10) + "-" + strconv.FormatUint(p.Sequence, 10)
}

// Position is how far the ledger has applied a shard, and whose Redis that was.
type Position struct {
	Epoch         uint64
	Sequence      uint64 // with Epoch the id of the last applied entry
	Nonce         string // of that entry: another one there is another history
	RunID         string // Redis's, when its scripts were loaded
	ReplicationID string
	Shards        int    // how many there are, fixed at initialisation
	Prefix        string // of the keys, likewise
	SeenAt        int64  // Unix ms by Redis's clock: when it last was what this says
}
