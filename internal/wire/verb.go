package wire

// Verb names a script, and the change that it makes.
type Verb string

// The verbs that a Store calls.
const (
	VerbReserve   Verb = "reserve"
	VerbProbe     Verb = "probe" // stands in for a reserve that would only be refused
	VerbConfirm   Verb = "confirm"
	VerbRelease   Verb = "release"
	VerbExtend    Verb = "extend"
	VerbFulfill   Verb = "fulfill"
	VerbMove      Verb = "move"
	VerbReturn    Verb = "return"
	VerbUnfulfill Verb = "unfulfill"
	VerbDescribe  Verb = "describe"
	VerbAmend     Verb = "amend"
	VerbExpire    Verb = "expire"
	VerbAdjust    Verb = "adjust"
	VerbRemove    Verb = "remove"
	VerbTransfer  Verb = "transfer"
)

// The verbs that only the reconciler and the audit call.
const (
	VerbCompensate Verb = "compensate" // undoes a refused step of a reservation
	VerbRevert     Verb = "revert"     // undoes a refused operation
	VerbForget     Verb = "forget"     // deletes reservations and operations that the ledger has
	VerbHousekeep  Verb = "housekeep"  // trims the stream and guards its length
	VerbBegin      Verb = "begin"      // starts an epoch
	VerbLoad       Verb = "load"       // writes a chunk of a rebuild
	VerbOpen       Verb = "open"       // ends a rebuild
	VerbAdopt      Verb = "adopt"      // starts an epoch and keeps the data
	VerbAudit      Verb = "audit"      // appends the values of some names to the stream
	VerbRepair     Verb = "repair"     // repairs what an audit has found
)

// Verbs lists the verbs that a Store calls.
var Verbs = []Verb{
	VerbReserve, VerbProbe, VerbConfirm, VerbRelease, VerbExtend, VerbFulfill, VerbMove, VerbReturn, VerbUnfulfill, VerbDescribe,
	VerbAmend, VerbExpire,
	VerbAdjust, VerbRemove, VerbTransfer,
}
