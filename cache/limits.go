package cache

import (
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// The limits. Breaking one is ErrInvalid, before anything is sent to Redis.
const (
	IdentifierBytesMax     = location.IdentifierBytesMax // bytes of UTF-8 in any identifier
	QuantityMax            = wire.QuantityMax            // units in one quantity or count
	LinesMax               = 100                         // lines of one reservation
	MetadataKeysMax        = 16                          // entries of metadata
	MetadataBytesMax       = 512                         // bytes of one metadata value; a key is an identifier
	TextBytesMax           = location.TextBytesMax       // bytes of a reason, an actor or a part of an address
	ChangesMax             = 1_000                       // levels changed by one operation
	LocationsMax           = wire.LocationsMax           // locations of one shard
	CandidatesMax          = 10_000                      // locations tried for all lines of one reservation together
	AvailabilityMax        = 200                         // SKUs in one question what is available
	TTLMin                 = time.Second                 // shortest deadline
	LevelPageMax           = 500                         // levels in one page
	LevelPageDefault       = 50                          // levels in a page that names no limit
	ReservationPageMax     = 500                         // reservations in one page
	ReservationPageDefault = 50                          // reservations in a page that names no limit
	ShortReservationsMax   = 20                          // reservations named where a level is short
	BatchLimit             = 512                         // requests in one script call, whatever Options say

	SoldOutCacheMin = time.Millisecond // shortest time that a refusal is remembered
	SoldOutCacheMax = time.Second      // longest
)
