package cache

// By says who makes a change that is kept: the directory, or an audit.
type By struct {
	Actor      string // the program, or the person if the caller has no key
	OnBehalfOf string // the person for whom the program makes it, if it says so
	RequestID  string // of the call
}
