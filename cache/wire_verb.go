package cache

// verbT names a script.
type verbT string

// The verbs that a Store calls.
const (
	verbReserve  verbT = "reserve"
	verbProbe    verbT = "probe" // a reserve's shorter question
	verbConfirm  verbT = "confirm"
	verbRelease  verbT = "release"
	verbExtend   verbT = "extend"
	verbFulfill  verbT = "fulfill"
	verbMove     verbT = "move"
	verbReturn   verbT = "return"
	verbExpire   verbT = "expire"
	verbAdjust   verbT = "adjust"
	verbRemove   verbT = "remove"
	verbTransfer verbT = "transfer"
)

// The reconciler's verbs.
const (
	VerbCompensate verbT = "compensate" // undoes a refused step of a reservation
	VerbRevert     verbT = "revert"     // undoes a refused operation
)

// verbsT lists the verbs that a Store calls.
var verbsT = []verbT{
	verbReserve, verbProbe, verbConfirm, verbRelease, verbExtend, verbFulfill, verbMove, verbReturn, verbExpire,
	verbAdjust, verbRemove, verbTransfer,
}
