//go:build race

package acceptance

// raced says that these tests look for data races, in the program too.
const raced = true
