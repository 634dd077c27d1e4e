package wire

// verbT names a script.
type Verb string

// The verbs that a Store calls.
const (
	VerbReserve  Verb = "reserve"
	VerbProbe    Verb = "probe" // a reserve's shorter question
	VerbConfirm  Verb = "confirm"
	VerbRelease  Verb = "release"
	VerbExtend   Verb = "extend"
	VerbFulfill  Verb = "fulfill"
	VerbMove     Verb = "move"
	VerbReturn   Verb = "return"
	VerbExpire   Verb = "expire"
	VerbAdjust   Verb = "adjust"
	VerbRemove   Verb = "remove"
	VerbTransfer Verb = "transfer"
)

// The reconciler's verbs.
const (
	VerbCompensate Verb = "compensate" // undoes a refused step of a reservation
	VerbRevert     Verb = "revert"     // undoes a refused operation
)

// verbsT lists the verbs that a Store calls.
var Verbs = []Verb{
	VerbReserve, VerbProbe, VerbConfirm, VerbRelease, VerbExtend, VerbFulfill, VerbMove, VerbReturn, VerbExpire,
	VerbAdjust, VerbRemove, VerbTransfer,
}
