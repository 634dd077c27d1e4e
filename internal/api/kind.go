package api

import "net/http"

// kind is a kind of problem: what the contract calls its code. doc is for the OpenAPI document and
// the page of problems.
type kind struct {
	code   string
	status int
	title  string
	doc    string
}

// The kinds of problems. A 503 is always safe to repeat.
var (
	malformed = &kind{"malformed", http.StatusBadRequest, "Malformed request",
		"The body is not JSON, has an unknown field, the same field twice, or a field of a " +
			"wrong type; or a parameter is unknown or of a wrong type."}
	forbidden = &kind{"forbidden", http.StatusForbidden, "Forbidden",
		"A page of another site made a browser send this. Nothing was changed."}
	notFound = &kind{"not_found", http.StatusNotFound, "Not found",
		"No such reservation, level or path. For a reservation id that was once answered 201 " +
			"the hold was lost: repeat the POST with the same id and body, then confirm."}
	methodNotAllowed = &kind{"method_not_allowed", http.StatusMethodNotAllowed, "Method not allowed",
		"The path exists, but not with this method. The header Allow names those it has."}
	idConflict = &kind{"id_conflict", http.StatusConflict, "Id already used",
		"The id was used before for another request. Take a new id for a new request."}
	unknownStock = &kind{"unknown_stock", http.StatusConflict, "Unknown stock",
		"A SKU has no level at any location. `lines` names the lines."}
	noLocation = &kind{"no_location", http.StatusConflict, "No location",
		"The SKU has levels, but none that this channel, address and pin allow. `rejected` says" +
			" why each was left out."}
	insufficientStock = &kind{"insufficient_stock", http.StatusConflict, "Insufficient stock",
		"`shortages` lists every short line and the most that it could have had. Nothing was taken."}
	purchaseLimit = &kind{"purchase_limit", http.StatusConflict, "Purchase limit",
		"`limit` units are allowed to one customer, and this one has `taken` already; `campaign` is the limit's id."}
	inUse = &kind{"in_use", http.StatusConflict, "In use",
		"A level or location with held or committed units can't be removed; `held` and `committed` say how many there are."}
	directoryIsFile = &kind{"directory_is_file", http.StatusConflict, "The directory is a file",
		"The server reads its routing directory from a file (directory.file): change that file."}
	wrongState = &kind{"wrong_state", http.StatusConflict, "Wrong state",
		"The transition does not apply to the reservation as it is; `state` says what it is now."}
	versionConflict = &kind{"version_conflict", http.StatusConflict, "Version conflict",
		"The `version` sent is not the current one, or `if_on_hand` or `If-Match` did not hold. Read again, " +
			"then decide again."}
	tooLarge = &kind{"too_large", http.StatusRequestEntityTooLarge, "Body too large",
		"The body is larger than 1 MiB."}
	unsupportedMediaType = &kind{
		"unsupported_media_type", http.StatusUnsupportedMediaType, "Unsupported media type",
		"A body must be sent with `Content-Type: application/json`, a directory also with `application/yaml`.",
	}
	invalidRequest = &kind{"invalid_request", http.StatusUnprocessableEntity, "Invalid request",
		"The request is understood but not allowed; `errors` lists every fault with its path."}
	internal = &kind{"internal", http.StatusInternalServerError, "Internal error",
		"A defect or a corrupt value; the log of the server says more."}
	unavailable = &kind{"unavailable", http.StatusServiceUnavailable, "Unavailable",
		"Redis did not answer in time, or the server is overloaded or shutting down. The " +
			"outcome is unknown: repeat the same call with the same id."}
	rebuilding = &kind{"rebuilding", http.StatusServiceUnavailable, "Rebuilding",
		"Stock in Redis is being rebuilt from the ledger. Nothing was changed: repeat the same " +
			"call."}
	notDurableYet = &kind{"not_durable_yet", http.StatusServiceUnavailable, "Not durable yet",
		"The ledger has not decided this yet: Postgres did not answer in time, or is down. Repeat the " +
			"same call with the same id. A reservation whose confirm answered so does not lapse."}
	backlogFull = &kind{"backlog_full", http.StatusServiceUnavailable, "Backlog full",
		"Too much waits to be written to the ledger. Nothing was changed: repeat the same call."}
)

// kinds lists them all, in the order of the page that explains them.
var kinds = []*kind{
	malformed, forbidden, notFound, methodNotAllowed, idConflict, unknownStock, noLocation, insufficientStock,
	purchaseLimit, inUse, directoryIsFile, wrongState, versionConflict, tooLarge, unsupportedMediaType, invalidRequest, internal,
	unavailable, rebuilding, notDurableYet, backlogFull,
}

func (k *kind) uri() string { return problemPage + "#" + k.code }
