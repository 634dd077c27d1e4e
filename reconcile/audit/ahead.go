package audit

// ahead is the next page of the ledger. Where nobody else works it is read while Redis is asked for the page before
// it: the two servers need not wait for each other. Where others do it is read when it is asked for: read ahead it
// would be of long ago by then, with much between the two sides, and take from the others what the rest gives them.
type ahead[P any] func() P

// readAhead has read give the next page. A page that nobody asks for any more is dropped.
func readAhead[P any](busy bool, read func() P) ahead[P] {
	if busy {
		return read
	}
	page := make(chan P, 1)
	go func() { page <- read() }()
	return func() P { return <-page }
}
