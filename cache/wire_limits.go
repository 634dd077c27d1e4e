package cache

// Limits that scripts and records keep too.
const (
	quantityMax        = 2_147_483_647 // units in one quantity or count
	locationsMax       = 1_000         // locations of one shard
	identifierBytesMax = 128           // bytes of UTF-8 in any identifier
	textBytesMax       = 512           // bytes of a reason or an actor
)
