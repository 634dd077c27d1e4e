// Package demo is a flash sale that proves itself: thousands of buyers race for a small stock, and
// what they were told is compared, unit by unit, with what the Store says when all is over.
//
// The books are kept outside. Every buyer notes the answers it got and nothing else; the Store's
// own counters are read only to show progress and for the comparison at the end, so that a Store
// that loses or invents a unit can't hide it.
package demo
