package api

import "net/http"

// kind is a kind of problem: a code of the contract. doc explains it in the OpenAPI document and on
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
		"The body is not JSON, has an unknown field, has the same field twice, or has a field of the wrong type. " +
			"Or a parameter is unknown, appears twice, or has the wrong type."}
	forbidden = &kind{"forbidden", http.StatusForbidden, "Forbidden",
		"The key does not have the role of the call, which `role` names, or is bound to other channels. Or a browser sent the request on behalf of a page of another site. Or the header `Host` has a name that the setting " +
			"`http.hosts` does not list. Nothing was changed."}
	unauthenticated = &kind{"unauthenticated", http.StatusUnauthorized, "Unauthenticated",
		"The call has no key, or one that does not exist, was revoked or has expired. Send the header " +
			"`Authorization: Bearer` with a key. `role` is the role that it needs. Nothing was changed."}
	tooManyRequests = &kind{"too_many_requests", http.StatusTooManyRequests, "Too many requests",
		"The key sent more requests a second than it may, or has too many calls under way. Nothing was changed. Repeat the " +
			"same call after the seconds of the header `Retry-After`."}
	notFound = &kind{"not_found", http.StatusNotFound, "Not found",
		"There is no such reservation, level or path. If a reserve with this id was answered 201, the hold was lost: " +
			"repeat the reserve with the same id and body, then confirm."}
	methodNotAllowed = &kind{"method_not_allowed", http.StatusMethodNotAllowed, "Method not allowed",
		"The path does not have this method. The header `Allow` lists the methods that it has."}
	expiredRequest = &kind{"expired_request", http.StatusConflict, "Expired request",
		"The moment `not_after` had passed before the call was sent to Redis. This call changed nothing. An earlier call with the " +
			"same id may have been made: read the reservation to find out."}
	idConflict = &kind{"id_conflict", http.StatusConflict, "Id already used",
		"The id was used before for another request. Use a new id for a new request."}
	unknownStock = &kind{"unknown_stock", http.StatusConflict, "Unknown stock",
		"A SKU has no level at any location. `lines` lists the lines."}
	noLocation = &kind{"no_location", http.StatusConflict, "No location",
		"The SKU has levels, but none at a location that the channel, the address and the line allow. `rejected` says " +
			"why each location can't serve the line."}
	insufficientStock = &kind{"insufficient_stock", http.StatusConflict, "Insufficient stock",
		"There are too few units. `shortages` lists every short line and the most units that it could have had. " +
			"Nothing was taken."}
	notOnSale = &kind{"not_on_sale", http.StatusConflict, "Not on sale",
		"A campaign that counts a line has not started, or is over. `campaign` is its id, `starts_at` and `ends_at` are its " +
			"times. If it has not started, the header `Retry-After` has the seconds until then."}
	purchaseLimit = &kind{"purchase_limit", http.StatusConflict, "Purchase limit",
		"The customer would have too many units of a campaign. `campaign` is its id, `limit` the units that one " +
			"customer may have, and `taken` the units that this customer already has."}
	campaignSoldOut = &kind{"campaign_sold_out", http.StatusConflict, "Campaign sold out",
		"A campaign has too few units left, for all customers together. `campaign` is its id, `limit` the units that it " +
			"sells, and `taken` the units that customers already have. A released or expired hold gives its units back."}
	inUse = &kind{"in_use", http.StatusConflict, "In use",
		"A level or a location with held or committed units can't be removed. `held` and `committed` count them."}
	alreadyFulfilled = &kind{"already_fulfilled", http.StatusConflict, "Already fulfilled",
		"A line can't have fewer units than have left. `fulfilled` lists the lines and the units. Nothing was changed."}
	directoryIsFile = &kind{"directory_is_file", http.StatusConflict, "The directory is a file",
		"The server reads its routing directory from a file. Change the file that `directory.file` names."}
	wrongState = &kind{"wrong_state", http.StatusConflict, "Wrong state",
		"The transition does not apply to the current state of the reservation. `state` is the current state."}
	versionConflict = &kind{"version_conflict", http.StatusConflict, "Version conflict",
		"`version` or `If-Match` is not the current version, which `version` says. Or `if_on_hand` is not the current number of the " +
			"level that `sku` and `location` name, which `on_hand` says. Read again before you decide."}
	tooLarge = &kind{"too_large", http.StatusRequestEntityTooLarge, "Body too large",
		"The body is larger than 1 MiB."}
	unsupportedMediaType = &kind{
		"unsupported_media_type", http.StatusUnsupportedMediaType, "Unsupported media type",
		"Send a body with `Content-Type: application/json`. A directory may also be `application/yaml`.",
	}
	invalidRequest = &kind{"invalid_request", http.StatusUnprocessableEntity, "Invalid request",
		"The request is understood but not allowed. `errors` lists every fault with its path."}
	idMismatch = &kind{"id_mismatch", http.StatusUnprocessableEntity, "Ids differ",
		"The header `Idempotency-Key` and `id` of the body differ. Send one of them. Nothing was changed."}
	internal = &kind{"internal", http.StatusInternalServerError, "Internal error",
		"The server has a defect, or a stored value is corrupt. The server log has the details."}
	unavailable = &kind{"unavailable", http.StatusServiceUnavailable, "Unavailable",
		"Redis did not answer in time or refuses the call, or the server is overloaded or shutting down. `detail` says " +
			"whether the outcome is unknown. Repeat the same call, with the same id if it has one."}
	rebuilding = &kind{"rebuilding", http.StatusServiceUnavailable, "Rebuilding",
		"The stock in Redis is being rebuilt from the ledger. Nothing was changed. Repeat the same call."}
	notDurableYet = &kind{"not_durable_yet", http.StatusServiceUnavailable, "Not durable yet",
		"The ledger has not decided yet, because Postgres is slow or down. Repeat the same call, with the same id " +
			"if it has one. If a confirm was answered this, the reservation does not expire."}
	backlogFull = &kind{"backlog_full", http.StatusServiceUnavailable, "Backlog full",
		"Too many changes wait to be written to the ledger. Nothing was changed. Repeat the same call."}
)

// kinds lists every kind, in the order of the page that explains them.
var kinds = []*kind{
	malformed, unauthenticated, forbidden, tooManyRequests, notFound, methodNotAllowed, expiredRequest, idConflict, unknownStock, noLocation, insufficientStock,
	notOnSale, purchaseLimit, campaignSoldOut, inUse, alreadyFulfilled, directoryIsFile, wrongState, versionConflict, tooLarge,
	unsupportedMediaType, invalidRequest, idMismatch,
	internal, unavailable, rebuilding, notDurableYet, backlogFull,
}

// problemPage is the page that explains the kinds, each under its code.
const problemPage = "/docs/problems"

func (k *kind) uri() string { return problemPage + "#" + k.code }
