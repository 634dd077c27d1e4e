package cache

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// The errors of a Store; compare with errors.Is. If a caller needs more than the name, a typed
// error carries it, such as *InsufficientError for ErrInsufficient; find it with errors.As.
//
// After ErrUnavailable or an ended context the outcome is unknown: repeat with the same ID. After
// ErrRefused, which is an ErrUnavailable too, nothing was changed. These three, ErrClosed and
// ErrCorrupt can come from any call that reaches Redis, so the lists of errors of the methods leave
// them out.
var (
	ErrInvalid         = errors.New("invalid request")
	ErrIDConflict      = errors.New("the id was used before for another request")
	ErrUnknownStock    = errors.New("unknown stock")
	ErrNoLocation      = errors.New("no location may serve this")
	ErrInsufficient    = errors.New("insufficient stock")
	ErrNotOnSale       = errors.New("not on sale")
	ErrPurchaseLimit   = errors.New("purchase limit")
	ErrCampaignSoldOut = errors.New("campaign sold out")
	ErrNotFound        = errors.New("not found")
	ErrInUse           = errors.New("in use")
	ErrFulfilled       = errors.New("units have left")
	ErrWrongState      = errors.New("wrong state")
	ErrVersionConflict = errors.New("version conflict")
	ErrUnavailable     = wire.ErrUnavailable // repeat with the same id
	ErrRefused         = wire.ErrRefused     // an ErrUnavailable, but nothing was changed: memory is full, no replica, …
	ErrRebuilding      = wire.ErrRebuilding  // repeat with the same id
	ErrBacklogFull     = wire.ErrBacklogFull // repeat with the same id
	ErrNotDurable      = wire.ErrNotDurable  // repeat with the same id
	ErrCorrupt         = wire.ErrCorrupt
	ErrNewer           = wire.ErrNewer
	ErrClosed          = wire.ErrClosed
	ErrExpiredRequest  = wire.ErrExpiredRequest // the call came after its NotAfter and changed nothing
)

// ExpiredRequestError refuses a call that came after its NotAfter, with both times. An earlier call
// with the same ID may have been made: read the reservation to find out. It is ErrExpiredRequest.
type ExpiredRequestError = wire.ExpiredRequestError

// Fault is one thing wrong with a request.
type Fault struct {
	Path    string // JSON pointer into the request, such as /lines/0/quantity
	Message string
}

// InvalidError lists every fault of a request. Nothing was changed. It is ErrInvalid.
type InvalidError struct{ Faults []Fault }

func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		parts[i] = f.Path + ": " + f.Message
	}
	return ErrInvalid.Error() + ": " + strings.Join(parts, "; ")
}

// Unwrap makes errors.Is(err, ErrInvalid) true.
func (e *InvalidError) Unwrap() error { return ErrInvalid }

// invalid returns an InvalidError with one fault.
func invalid(path, format string, args ...any) error {
	return &InvalidError{Faults: []Fault{{Path: path, Message: fmt.Sprintf(format, args...)}}}
}

// invalidChannel returns the InvalidError for the error of location.Route.
func invalidChannel(err error) error {
	if unknown, ok := errors.AsType[*location.UnknownChannelError](err); ok {
		return invalid("/channel", "%s", unknown.Fault())
	}
	return invalid("/channel", "%s", err)
}

// Shortage is a line, or a level, with too few units.
type Shortage struct {
	Line      string // "" if it is about a level
	SKU       location.SKU
	Requested int64 // units
	Available int64 // the most that it could have had
}

// InsufficientError lists every short line. It is ErrInsufficient.
type InsufficientError struct{ Shortages []Shortage }

func (e *InsufficientError) Error() string {
	parts := make([]string, len(e.Shortages))
	for i, s := range e.Shortages {
		parts[i] = fmt.Sprintf("%s: %d requested, %d available", s.SKU, s.Requested, s.Available)
		if s.Line != "" {
			parts[i] = "line " + s.Line + ": " + parts[i]
		}
	}
	if len(parts) == 0 {
		return ErrInsufficient.Error()
	}
	return ErrInsufficient.Error() + ": " + strings.Join(parts, "; ")
}

// Unwrap makes errors.Is(err, ErrInsufficient) true.
func (e *InsufficientError) Unwrap() error { return ErrInsufficient }

// UnknownStockError names the lines whose SKU has no level anywhere. It is ErrUnknownStock.
type UnknownStockError struct{ Lines []string }

func (e *UnknownStockError) Error() string {
	return ErrUnknownStock.Error() + ": no level for line " + strings.Join(e.Lines, ", ")
}

// Unwrap makes errors.Is(err, ErrUnknownStock) true.
func (e *UnknownStockError) Unwrap() error { return ErrUnknownStock }

// NoLocationError gives the reason against each location, line by line. It is ErrNoLocation.
type NoLocationError struct{ Rejected []location.Rejected }

func (e *NoLocationError) Error() string {
	parts := make([]string, len(e.Rejected))
	for i, r := range e.Rejected {
		parts[i] = fmt.Sprintf("line %s: %s: %s", r.Line, r.Location, r.Reason)
	}
	return ErrNoLocation.Error() + ": " + strings.Join(parts, "; ")
}

// Unwrap makes errors.Is(err, ErrNoLocation) true.
func (e *NoLocationError) Unwrap() error { return ErrNoLocation }

// NotOnSaleError is the campaign that has not started, or is over. It is ErrNotOnSale.
type NotOnSaleError struct {
	Campaign string
	StartsAt time.Time // zero: it has no start
	EndsAt   time.Time // the first moment after the campaign; zero: it has no end
	Now      time.Time // by Redis's clock, when it refused
}

// Wait returns how long it was until the campaign starts, or 0 if it is over.
func (e *NotOnSaleError) Wait() time.Duration { return max(0, e.StartsAt.Sub(e.Now)) }

func (e *NotOnSaleError) Error() string {
	if e.Wait() > 0 {
		return fmt.Sprintf("%s: %s starts at %s", ErrNotOnSale, e.Campaign, timeText(e.StartsAt))
	}
	return fmt.Sprintf("%s: %s ended at %s", ErrNotOnSale, e.Campaign, timeText(e.EndsAt))
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Unwrap makes errors.Is(err, ErrNotOnSale) true.
func (e *NotOnSaleError) Unwrap() error { return ErrNotOnSale }

// CampaignSoldOutError is the campaign whose total the request would exceed. It is
// ErrCampaignSoldOut.
type CampaignSoldOutError struct {
	Campaign string
	Total    int64 // units that all customers may have
	Taken    int64 // units that they have held, confirmed or fulfilled
}

func (e *CampaignSoldOutError) Error() string {
	return fmt.Sprintf("%s: %s has %d of its %d units left", ErrCampaignSoldOut, e.Campaign, max(0, e.Total-e.Taken), e.Total)
}

// Unwrap makes errors.Is(err, ErrCampaignSoldOut) true.
func (e *CampaignSoldOutError) Unwrap() error { return ErrCampaignSoldOut }

// PurchaseLimitError is the campaign of which the customer would have too many units. It is
// ErrPurchaseLimit.
type PurchaseLimitError struct {
	Campaign string
	Limit    int64  // units that one customer may have
	Taken    int64  // units that this customer has held, confirmed or fulfilled
	Identity string // that would exceed it: the customer, or one of the identities
}

func (e *PurchaseLimitError) Error() string {
	return fmt.Sprintf("%s: %s allows %d units per customer, and %s already has %d",
		ErrPurchaseLimit, e.Campaign, e.Limit, cmp.Or(e.Identity, "this one"), e.Taken)
}

// Unwrap makes errors.Is(err, ErrPurchaseLimit) true.
func (e *PurchaseLimitError) Unwrap() error { return ErrPurchaseLimit }

// InUseError refuses a removal: units are still held or committed. It is ErrInUse.
type InUseError struct {
	What            string // "location berlin", "TEE-M at berlin"
	Held, Committed int64  // units
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s: %s has %d units held and %d committed", ErrInUse, e.What, e.Held, e.Committed)
}

// Unwrap makes errors.Is(err, ErrInUse) true.
func (e *InUseError) Unwrap() error { return ErrInUse }

// FulfilledLine is a line that would have fewer units than have left.
type FulfilledLine struct {
	Line      string
	Requested int64 // units, or kits
	Fulfilled int64 // of the line
}

// FulfilledError lists every line that an amend would give fewer units than have left. It is
// ErrFulfilled.
type FulfilledError struct{ Lines []FulfilledLine }

func (e *FulfilledError) Error() string {
	parts := make([]string, len(e.Lines))
	for i, l := range e.Lines {
		parts[i] = fmt.Sprintf("line %s: %d requested, %d fulfilled", l.Line, l.Requested, l.Fulfilled)
	}
	return ErrFulfilled.Error() + ": " + strings.Join(parts, "; ")
}

// Unwrap makes errors.Is(err, ErrFulfilled) true.
func (e *FulfilledError) Unwrap() error { return ErrFulfilled }

// WrongStateError is the state that a reservation has now. It is ErrWrongState.
type WrongStateError struct{ State State }

func (e *WrongStateError) Error() string {
	return ErrWrongState.Error() + ": the reservation is " + string(e.State)
}

// Unwrap makes errors.Is(err, ErrWrongState) true.
func (e *WrongStateError) Unwrap() error { return ErrWrongState }

// VersionError is the version that a reservation has now, or the on hand that a level has now. It
// is ErrVersionConflict.
type VersionError struct {
	Current  int64
	SKU      location.SKU // of the level whose IfOnHand failed; "" for a reservation's version
	Location location.ID
}

func (e *VersionError) Error() string {
	if e.SKU == "" {
		return fmt.Sprintf("%s: the version is now %d", ErrVersionConflict, e.Current)
	}
	return fmt.Sprintf("%s: on hand of %s at %s is now %d", ErrVersionConflict, e.SKU, e.Location, e.Current)
}

// Unwrap makes errors.Is(err, ErrVersionConflict) true.
func (e *VersionError) Unwrap() error { return ErrVersionConflict }
