package wire

// The limits that both Go and the scripts enforce.
const (
	QuantityMax   = 2_147_483_647 // units in one quantity or count
	LocationsMax  = 1_000         // locations in one shard
	LinesBytesMax = 32_000        // bytes of the names of lines, SKUs and purchase limits in one reservation
	PartsMax      = 500           // parts of a reservation: each line or component, at each location that serves it
)
