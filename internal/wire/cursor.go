package wire

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/location"
)

// LevelCursor returns the cursor of the page that begins after a level.
func LevelCursor(sku location.SKU, at location.ID) string { return cursor(LevelField(sku, at)) }

// LevelAfter returns the level after which the page of a cursor begins; both are "" for the first
// page. ok is false if the cursor is malformed.
func LevelAfter(cursor string) (sku location.SKU, at location.ID, ok bool) {
	if cursor == "" {
		return "", "", true
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	sku, at, ok = SplitLevel(string(raw))
	return sku, at, ok && err == nil
}

// endOfTime is later than any clock, Unix ms.
const endOfTime = 1 << 45

// ReservationCursor returns the cursor of the page that begins after a reservation, which was
// created at a time, Unix ms.
func ReservationCursor(created int64, id string) string {
	return cursor(strconv.FormatInt(created, 10) + UnitSeparator + id)
}

// ReservationAfter returns the reservation after which the page of a cursor begins. The first page
// begins at the end of time. ok is false if the cursor is malformed.
func ReservationAfter(cursor string) (created int64, id string, ok bool) {
	if cursor == "" {
		return endOfTime, "", true
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	text, id, found := strings.Cut(string(raw), UnitSeparator)
	created, wrong := strconv.ParseInt(text, 10, 64)
	return created, id, err == nil && wrong == nil && found && location.IsIdentifier(id) && created >= 0 && created <= endOfTime
}

func cursor(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
