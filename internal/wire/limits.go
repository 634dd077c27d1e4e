package wire

// Limits that scripts and records keep too.
const (
	QuantityMax  = 2_147_483_647 // units in one quantity or count
	LocationsMax = 1_000         // locations of one shard
)
