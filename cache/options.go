package cache

import (
	"log/slog"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// Options configures a Store. The zero value works.
type Options struct {
	Prefix  string        // of every key; default "holdfast"
	TTL     time.Duration // time to the deadline if a request has none; default 10m
	TTLMax  time.Duration // longest TTL that a request may have; default 24h, or TTL if that is longer
	Timeout time.Duration // of one call, with the time in the queue and all retries; default 2s

	Ledger      Ledger        // makes sales durable; default nil: nothing is durable
	DurableWait time.Duration // longest wait of a durable call for the ledger, added to Timeout; default 5s

	// AwaitDirectory makes calls that need routing return ErrUnavailable until Direct is called. So
	// no units are taken from a wrong location before the directory is known. By default a Store
	// routes without a directory.
	AwaitDirectory bool

	// SoldOutCache is how long Reserve remembers that Redis refused a line for lack of units.
	// Meanwhile a request for that line first sends a probe, which costs Redis less than half of a
	// reserve. A probe refuses by the units of the moment, but it may miss units of holds that fell
	// due within this time. It is 0 or from SoldOutCacheMin to SoldOutCacheMax. With the default,
	// 0, every refusal is exact.
	SoldOutCache time.Duration

	BatchMax    int // requests in one script call; default 64, at most BatchLimit
	InFlightMax int // batches of one verb in flight, a second one only if it is full or the last is late; default 3
	QueueMax    int // requests of one verb that may wait; default 16384

	Observer Observer     // is told of every call and batch; default nil
	Logger   *slog.Logger // default slog.Default()
}

// The defaults of Options.
const (
	defaultPrefix      = "holdfast"
	defaultTTL         = 10 * time.Minute
	defaultTTLMax      = 24 * time.Hour
	defaultTimeout     = 2 * time.Second
	defaultDurableWait = 5 * time.Second
	defaultBatchMax    = 64
	defaultInFlightMax = 3
	defaultQueueMax    = 16384
)

func (o Options) withDefaults() Options {
	o.Prefix = orDefault(o.Prefix, defaultPrefix)
	o.TTL = orDefault(o.TTL, defaultTTL)
	o.TTLMax = orDefault(o.TTLMax, max(defaultTTLMax, o.TTL))
	o.Timeout = orDefault(o.Timeout, defaultTimeout)
	o.DurableWait = orDefault(o.DurableWait, defaultDurableWait)
	o.BatchMax = orDefault(o.BatchMax, defaultBatchMax)
	o.InFlightMax = orDefault(o.InFlightMax, defaultInFlightMax)
	o.QueueMax = orDefault(o.QueueMax, defaultQueueMax)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

func (o Options) check() error {
	var f faults
	f.identifier("Prefix", o.Prefix)
	for _, n := range []struct {
		name  string
		value int
		most  int
	}{{"BatchMax", o.BatchMax, BatchLimit}, {"InFlightMax", o.InFlightMax, 64}, {"QueueMax", o.QueueMax, 1 << 20}} {
		if n.value < 1 || n.value > n.most {
			f.add(n.name, "is %d, must be from 1 to %d", n.value, n.most)
		}
	}
	if o.TTL < TTLMin || o.TTL > o.TTLMax {
		f.add("TTL", "is %s, must be from %s to TTLMax, %s", o.TTL, TTLMin, o.TTLMax)
	}
	if o.Timeout < time.Millisecond {
		f.add("Timeout", "is %s, must be at least 1ms", o.Timeout)
	}
	if o.DurableWait < time.Millisecond {
		f.add("DurableWait", "is %s, must be at least 1ms", o.DurableWait)
	}
	if o.SoldOutCache != 0 && (o.SoldOutCache < SoldOutCacheMin || o.SoldOutCache > SoldOutCacheMax) {
		f.add("SoldOutCache", "is %s, must be 0 or from %s to %s", o.SoldOutCache, SoldOutCacheMin, SoldOutCacheMax)
	}
	return f.err()
}

// The limits. A request that exceeds one is refused with ErrInvalid before anything is sent to
// Redis.
const (
	IdentifierBytesMax      = location.IdentifierBytesMax // bytes of UTF-8 in an identifier
	QuantityMax             = wire.QuantityMax            // units in one quantity or count
	LinesMax                = 500                         // lines of one reservation
	AmendLinesMax           = 100                         // lines that one amend changes
	IdentitiesMax           = 8                           // identities of one reservation beside its customer
	MetadataKeysMax         = 16                          // entries of metadata
	MetadataBytesMax        = 512                         // bytes of one metadata value; a key is an identifier
	TextBytesMax            = location.TextBytesMax       // bytes of a reason, an actor or a part of an address
	ChangesMax              = 500                         // levels changed by one operation
	ChangesBytesMax         = 32_000                      // bytes of the SKUs and locations of one operation
	LocationsMax            = wire.LocationsMax           // locations with levels
	PreferredMax            = 100                         // locations in ReserveRequest.Prefer, and in LineRequest.Locations
	CandidatesMax           = 2_000                       // candidate locations of all lines of one reservation together; half with Backorder; 2 fewer for each part after the 100th
	CandidatesBytesMax      = 256_000                     // bytes of the SKUs and locations of these candidates
	AmendCandidatesMax      = 800                         // candidate locations of all lines that one amend gives more units
	PartsMax                = wire.PartsMax               // parts of one reservation: each SKU at each location that serves it, each limit that counts it
	LinesBytesMax           = wire.LinesBytesMax          // bytes of the names of lines, SKUs and campaigns in one reservation
	AvailabilityMax         = 200                         // SKUs in one AvailabilityRequest
	AvailabilityLevelsMax   = 10_000                      // levels that an AvailabilityRequest may be looked up at
	TTLMin                  = time.Second                 // shortest time to a deadline
	QuerySKUsMax            = 200                         // SKUs in LevelFilter.SKUs
	QueryLocationsMax       = 100                         // locations in LevelFilter.Locations
	LevelPageMax            = 500                         // levels in one page
	LevelPageDefault        = 50                          // levels in a page if LevelFilter.Limit is 0
	ReservationPageMax      = 500                         // reservations in one page
	ReservationPageDefault  = 50                          // reservations in a page if ReservationFilter.Limit is 0
	ReservationPageLinesMax = 10_000                      // lines, or components of kits, of its reservations: the page ends when it has as many
	ShortReservationsMax    = 20                          // reservations in AdjustedLevel.Short
	BatchLimit              = 512                         // largest Options.BatchMax, requests

	SoldOutCacheMin = time.Millisecond // smallest Options.SoldOutCache other than 0
	SoldOutCacheMax = time.Second      // largest Options.SoldOutCache
)
