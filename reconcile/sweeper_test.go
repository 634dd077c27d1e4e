package reconcile

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"
)

// script is an Expirer that answers from a list, and after that says that nothing is due.
type script struct {
	answers []answer
	calls   int
}

type answer struct {
	expired int
	more    bool
	err     error
}

func (s *script) Expire(context.Context) (int, bool, error) {
	s.calls++
	if s.calls > len(s.answers) {
		return 0, false, nil
	}
	a := s.answers[s.calls-1]
	return a.expired, a.more, a.err
}

func TestSweeperGoesOnWhileMoreIsDue(t *testing.T) {
	store := &script{answers: []answer{{256, true, nil}, {256, true, nil}, {3, false, nil}}}
	expired, err := (&Sweeper{Store: store}).runOnce(context.Background())
	if expired != 515 || err != nil || store.calls != 3 {
		t.Fatalf("expired %d in %d calls, %v; want 515 in 3", expired, store.calls, err)
	}
}

func TestSweeperSurvivesAFailure(t *testing.T) {
	store := &script{answers: []answer{{0, false, errors.New("no redis")}, {7, false, nil}}}
	swept := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	w := &Sweeper{Store: store, Interval: time.Microsecond, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), swept: swept}
	go func() { done <- w.Run(ctx) }()
	<-swept
	<-swept
	<-swept
	cancel()
	go func() {
		for range swept { // of a sweep that was under way
		}
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	close(swept)
	if store.calls < 3 {
		t.Fatalf("%d sweeps, want at least 3", store.calls)
	}
}
