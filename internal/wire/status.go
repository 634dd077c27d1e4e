package wire

// The status words that scripts answer, in the order of lua/status.lua. The header of a script says
// what its words mean and which comes first.
const (
	// Of a call: the gate, the stream, and the form of the reply.
	StatusFenced  = "fenced"  // the script belongs to another epoch
	StatusLoading = "loading" // a rebuild is under way
	StatusStopped = "stopped" // the gate stays closed until an operator decides
	StatusBacklog = "backlog" // the stream is too long: reserve is refused
	StatusRefused = "refused" // the stream refused the entry
	StatusOK      = "ok"      // the results of the requests follow

	// Of a request: repeats and refusals.
	StatusConflict         = "conflict"       // the id was used for another request
	StatusReplay           = "replay"         // reserve: the same request was made before
	StatusRepeat           = "repeat"         // the same request was made before
	StatusRepeatDurable    = "repeat_durable" // likewise; the caller waits for the ledger
	StatusGone             = "gone"           // there is nothing to undo
	StatusVoid             = "void"           // repair: Redis has something else by now
	StatusNotFound         = "not_found"
	StatusCorrupt          = "corrupt" // a stored value can't be read
	StatusWrongState       = "wrong_state"
	StatusVersionConflict  = "version_conflict"
	StatusUnsettled        = "unsettled" // the ledger has not decided this version yet
	StatusUnknownLine      = "unknown_line"
	StatusExceeds          = "exceeds"     // too many units: of a line, or on hand
	StatusOverLimit        = "over_limit"  // return: on hand would exceed its limit
	StatusElsewhere        = "elsewhere"   // the first candidate can't serve it: send all candidates
	StatusNotOnSale        = "not_on_sale" // a campaign has not started, or is over
	StatusNoLocation       = "no_location" // no candidate of a line has a level
	StatusNoLevel          = "no_level"
	StatusNoIdentity       = "no_identity" // describe: a limit counts it, and would have nobody to count
	StatusBarred           = "barred"      // move: the directory bars the location
	StatusBehind           = "behind"      // adjust: the level changed after it was counted
	StatusTooManyLocations = "too_many_locations"
	StatusMoreDue          = "more_due" // more overdue holds can be reclaimed: send it again
	StatusPurchaseLimit    = "purchase_limit"
	StatusInUse            = "in_use" // remove: units are held or committed
	StatusInsufficient     = "insufficient"
	StatusTooManyParts     = "too_many_parts" // reserve: it would come from too many locations

	// Of a request: success.
	StatusHeld        = "held"
	StatusDone        = "done"
	StatusDoneDurable = "done_durable" // done; the caller waits for the ledger
)
