//go:build race

package acceptance

// raced reports whether the tests and the program run with the race detector.
const raced = true
