package ledger

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// The kinds of a Change.
const (
	ChangeAudit     = "audit"     // an audit that repairs; its id
	ChangeDirectory = "directory" // a version of the routing directory; the version
	ChangeKey       = "key"       // a key was made or revoked; its id
	ChangeStock     = "stock"     // an operation on levels; its id
)

// Change is one change of stock, of the directory or of keys, or a repair: who made it, when and why.
// Steps of reservations are no changes: they are in the events.
type Change struct {
	cache.By
	At     time.Time
	Kind   string
	ID     string
	Verb   string // adjust, transfer or remove; apply; repair; create or revoke
	Reason string
}

// Changes lists changes.
type Changes interface {
	// Changes reads a page of changes, the newest first, behind after; the zero Change begins. Errors:
	// ErrNotDurable.
	Changes(ctx context.Context, after Change, limit int) ([]Change, error)
}

// Cursor returns the place of a change in the list.
func (c *Change) Cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.At.UnixMilli(), 10) + ":" + c.place()))
}

// place orders the changes of one moment.
func (c *Change) place() string { return c.Kind + ":" + c.Verb + ":" + c.ID }

// ChangeAt returns a change at a cursor, for Changes. ok is false if it is no cursor.
func ChangeAt(cursor string) (c Change, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	parts := strings.SplitN(string(text), ":", 4)
	if err != nil || len(parts) != 4 {
		return c, false
	}
	at, err := strconv.ParseInt(parts[0], 10, 64)
	return Change{At: time.UnixMilli(at).UTC(), Kind: parts[1], Verb: parts[2], ID: parts[3]}, err == nil
}

// CompareChanges orders changes, the oldest first.
func CompareChanges(a, b Change) int {
	if order := a.At.Compare(b.At); order != 0 {
		return order
	}
	return strings.Compare(a.place(), b.place())
}
