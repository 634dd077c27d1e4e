package acceptance

import (
	"testing"
	"time"
)

const (
	// patience is for what takes milliseconds on an idle machine.
	patience = 20 * time.Second
	// pollEvery is how often a test looks whether something has happened.
	pollEvery = 10 * time.Millisecond
)

// await waits until something outside of the test has happened: a deadline has passed, a server has
// come back. It is the only place where a test sleeps.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
