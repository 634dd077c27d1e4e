package bench

// outcome is what a call was answered.
type outcome int

const (
	accepted outcome = iota // units were taken, or a sale was made
	refused                 // there was not enough
	replayed                // the id had its answer already: nothing was changed
	outcomes                // how many there are
)

func (o outcome) String() string { return [...]string{"accepted", "refused", "replayed"}[o] }
