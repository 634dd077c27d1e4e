package cache

import (
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// The limits. A request that exceeds one is refused with ErrInvalid before anything is sent to
// Redis.
const (
	IdentifierBytesMax     = location.IdentifierBytesMax // bytes of UTF-8 in an identifier
	QuantityMax            = wire.QuantityMax            // units in one quantity or count
	LinesMax               = 100                         // lines of one reservation
	MetadataKeysMax        = 16                          // entries of metadata
	MetadataBytesMax       = 512                         // bytes of one metadata value; a key is an identifier
	TextBytesMax           = location.TextBytesMax       // bytes of a reason, an actor or a part of an address
	ChangesMax             = 1_000                       // levels changed by one operation
	LocationsMax           = wire.LocationsMax           // locations with levels
	CandidatesMax          = 10_000                      // candidate locations of all lines of one reservation together
	AvailabilityMax        = 200                         // SKUs in one AvailabilityRequest
	TTLMin                 = time.Second                 // shortest time to a deadline
	LevelPageMax           = 500                         // levels in one page
	LevelPageDefault       = 50                          // levels in a page if LevelFilter.Limit is 0
	ReservationPageMax     = 500                         // reservations in one page
	ReservationPageDefault = 50                          // reservations in a page if ReservationFilter.Limit is 0
	ShortReservationsMax   = 20                          // reservations in AdjustedLevel.Short
	BatchLimit             = 512                         // largest Options.BatchMax, requests

	SoldOutCacheMin = time.Millisecond // smallest Options.SoldOutCache other than 0
	SoldOutCacheMax = time.Second      // largest Options.SoldOutCache
)
