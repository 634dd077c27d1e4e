package acceptance

import (
	"testing"
	"time"
)

const (
	// patience bounds a wait for a condition that takes milliseconds on an idle machine.
	patience = time.Minute
	// busy is the time that other work on all processors may add to a documented one.
	busy = 15 * time.Second
	// pollEvery is the pause between two polls.
	pollEvery = 10 * time.Millisecond
)

// inTime repeats attempt until it returns true. An attempt returns false if its calls can have timed
// out because the machine was busy.
func inTime(t *testing.T, attempt func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !attempt(); {
		if time.Now().After(deadline) {
			t.Fatal("the machine is too busy: each attempt takes longer than the store's time-out")
		}
	}
}

// await waits until something outside the test has happened: a deadline has passed, a server has come
// back. It is the only place where a test sleeps.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
