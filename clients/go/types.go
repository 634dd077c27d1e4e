package holdfast

import "github.com/holdfast/holdfast/internal/contract"

// CountsMax is how many counts a CountsRequest may have.
const CountsMax = contract.CountsMax

// AnyVersion, as the expected version of a directory, applies it to any current version.
const AnyVersion = contract.AnyVersion

// Remove, as a Patch or as a key of a MetadataPatch, removes what the reservation has there.
const Remove = contract.Remove

// Values of bodies.
type (
	Whole           = contract.Whole           // a whole number in a request
	Time            = contract.Time            // a moment in an answer
	Patch           = contract.Patch           // a text to set; "" leaves it, Remove removes it
	IdentitiesPatch = contract.IdentitiesPatch // a list to set; nil leaves it, an empty one removes all
	MetadataPatch   = contract.MetadataPatch   // keys to set; nil removes a key, the key Remove all
)

// Reservations.
type (
	Reservation     = contract.Reservation
	Line            = contract.Line
	LineComponent   = contract.LineComponent
	Allocation      = contract.Allocation
	ReservationPage = contract.ReservationPage

	ReserveRequest   = contract.ReserveRequest
	LineRequest      = contract.LineRequest
	Address          = contract.Address
	DescribeRequest  = contract.DescribeRequest
	ConfirmRequest   = contract.ConfirmRequest
	UnitsRequest     = contract.UnitsRequest
	LineQuantity     = contract.LineQuantity
	ExtendRequest    = contract.ExtendRequest
	MoveRequest      = contract.MoveRequest
	AmendRequest     = contract.AmendRequest
	AmendLine        = contract.AmendLine
	ReturnRequest    = contract.ReturnRequest
	UnfulfillRequest = contract.UnfulfillRequest
	ReturnLine       = contract.ReturnLine
)

// Stock.
type (
	Level             = contract.Level
	SKULevels         = contract.SKULevels
	LevelPage         = contract.LevelPage
	StockQuery        = contract.StockQuery
	PutLevelRequest   = contract.PutLevelRequest
	AdjustmentRequest = contract.AdjustmentRequest
	ChangedLevel      = contract.ChangedLevel
	CountInForce      = contract.CountInForce
	Short             = contract.Short
	ShortReservation  = contract.ShortReservation
	CountsRequest     = contract.CountsRequest
	Count             = contract.Count
	CountsAnswer      = contract.CountsAnswer
	CountedLevel      = contract.CountedLevel
	TransferRequest   = contract.TransferRequest
	TransferAnswer    = contract.TransferAnswer
)

// Routing and audits.
type (
	RouteRequest        = contract.RouteRequest
	Route               = contract.Route
	RoutedLine          = contract.RoutedLine
	LeftOut             = contract.LeftOut
	RankRule            = contract.RankRule
	AvailabilityRequest = contract.AvailabilityRequest
	Availability        = contract.Availability
	Directory           = contract.Directory
	AuditRequest        = contract.AuditRequest
	Audit               = contract.Audit
	AuditFinding        = contract.AuditFinding
	Change              = contract.Change
	ChangePage          = contract.ChangePage
)

// Problem is the error for every call that the server refuses or fails to serve. Code decides which of its
// other fields are set.
type Problem = contract.Problem

// Fields of a Problem.
type (
	Fault     = contract.Fault
	Shortage  = contract.Shortage
	Fulfilled = contract.Fulfilled
	Rejected  = contract.Rejected
)

// The codes of a Problem. A server may have more.
const (
	CodeMalformed            = "malformed"
	CodeUnauthenticated      = "unauthenticated"
	CodeForbidden            = "forbidden"
	CodeTooManyRequests      = "too_many_requests"
	CodeNotFound             = "not_found"
	CodeMethodNotAllowed     = "method_not_allowed"
	CodeExpiredRequest       = "expired_request"
	CodeIDConflict           = "id_conflict"
	CodeUnknownStock         = "unknown_stock"
	CodeNoLocation           = "no_location"
	CodeInsufficientStock    = "insufficient_stock"
	CodeNotOnSale            = "not_on_sale"
	CodePurchaseLimit        = "purchase_limit"
	CodeCampaignSoldOut      = "campaign_sold_out"
	CodeInUse                = "in_use"
	CodeAlreadyFulfilled     = "already_fulfilled"
	CodeDirectoryIsFile      = "directory_is_file"
	CodeWrongState           = "wrong_state"
	CodeVersionConflict      = "version_conflict"
	CodeTooLarge             = "too_large"
	CodeUnsupportedMediaType = "unsupported_media_type"
	CodeInvalidRequest       = "invalid_request"
	CodeIDMismatch           = "id_mismatch"
	CodeInternal             = "internal"
	CodeUnavailable          = "unavailable"
	CodeRebuilding           = "rebuilding"
	CodeNotDurableYet        = "not_durable_yet"
	CodeBacklogFull          = "backlog_full"
)
