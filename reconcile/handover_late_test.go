package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// lateReader is a ledger whose first session is stopped once it has read the position, as SIGSTOP stops a process.
type lateReader struct {
	*postgres.Ledger
	stop  *reconciletest.StopAt
	ended chan struct{} // closed with that session
	once  sync.Once
}

func (l *lateReader) Lock(ctx context.Context) (ledger.Session, error) {
	s, err := l.Ledger.Lock(ctx)
	if err == nil {
		l.once.Do(func() { s = &lateSession{Session: s, ledger: l} })
	}
	return s, err
}

type lateSession struct {
	ledger.Session
	ledger *lateReader
}

func (s *lateSession) Position(ctx context.Context) (ledger.PositionRow, bool, error) {
	at, there, err := s.Session.Position(ctx)
	s.ledger.stop.Point("position")
	return at, there, err
}

func (s *lateSession) Close() {
	s.Session.Close()
	close(s.ledger.ended)
}

// TestHandover_ComparesLate has the holder of the lock be stopped between reading the position and looking at Redis,
// while another applies and trims, or rebuilds: what the first has read is old, and the ledger is not.
func TestHandover_ComparesLate(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(i *reconciletest.Instance){
		"trimmed": func(*reconciletest.Instance) {},
		"rebuilt": func(i *reconciletest.Instance) {
			reconciletest.Must(t, i.Client.FlushAll(context.Background()).Err())
			_, err := reconcile.AwaitOpen(context.Background(), i.Client, "holdfast", 1)
			reconciletest.Must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reconciletest.NewRig(t)
			before := r.Started(nil)
			r.Quiesce()
			before.Stop()
			late := &lateReader{Ledger: postgres.New(r.Pool, 0), stop: reconciletest.NewStop(t, "position"), ended: make(chan struct{})}
			r.Start(func(r *reconcile.Reconciler) { r.Ledger = late })
			late.stop.Wait(t)
			two := r.Start(nil)
			two.Reserve("a", "TEE", 1)
			r.Await("another confirms", 8*time.Second, func() error {
				_, err := two.Store.Confirm(context.Background(), cache.TransitionRequest{ID: "a"})
				return err
			})
			meanwhile(two)
			r.Await("the stream is trimmed", 3*time.Second, func() error {
				n, err := two.Client.XLen(context.Background(), "{holdfast:0}:events").Result()
				if n != 1 {
					return fmt.Errorf("%d entries, %w", n, err)
				}
				return nil
			})
			late.stop.LetGo()
			<-late.ended
			if gate, err := two.Client.HGet(t.Context(), "{holdfast:0}:stock", "gate").Result(); gate == "stopped" {
				t.Fatalf("the gate is %q, %v", gate, err)
			}
			two.Reserve("b", "TEE", 1)
			two.Confirm("b")
			r.Check()
		})
	}
}

// TestHandover_LoaderStopped has a process be stopped while it loads scripts: the others get to load them.
func TestHandover_LoaderStopped(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	stop := reconciletest.NewStop(t, "loading")
	loaded := make(chan error, 1)
	go func() {
		loaded <- postgres.New(r.Pool, 0).Loading(context.Background(), func(context.Context, cache.Position) error {
			stop.Point("loading")
			return nil
		})
	}()
	stop.Wait(t)
	reconciletest.Must(t, i.Client.ScriptFlush(t.Context()).Err())
	r.Await("a hold is taken", 8*time.Second, func() error {
		_, err := i.Store.Reserve(context.Background(), reconciletest.Order("a", "TEE", 1))
		return err
	})
	stop.LetGo()
	if err := <-loaded; !errors.Is(err, cache.ErrNotDurable) {
		t.Errorf("it went on with a lock that it had lost: %v", err)
	}
	i.Confirm("a")
	r.Check()
}

// TestHandover_LateWithPostgresDown has the holder of the lock be stopped before it says until when holds may expire,
// and Postgres be gone when it goes on: it knows nothing of the time between, in which a hold that was paid for fell due.
func TestHandover_LateWithPostgresDown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	stop := reconciletest.NewStop(t, "trim")
	var armed atomic.Bool
	i := s.Started(func(r *reconcile.Reconciler) {
		r.Point = func(name string) {
			if armed.Load() {
				stop.Point(name)
			}
		}
	})
	paid := reconciletest.Order("paid", "TEE", 10)
	paid.TTL = 5 * time.Second
	held, err := i.Store.Reserve(t.Context(), paid)
	reconciletest.Must(t, err)
	s.Quiesce()
	armed.Store(true)
	stop.Wait(t)
	s.postgres.Kill()
	s.Await("its deadline has passed", 10*time.Second, func() error {
		if left := held.ExpiresAt.UnixMilli() - moment(s.Rig).UnixMilli(); left > -100 {
			return fmt.Errorf("%d ms are left", left)
		}
		return nil
	})
	stop.LetGo()
	s.Await("it has given up", 10*time.Second, func() error {
		if i.Reconciler.Stats().Working {
			return errors.New("it works")
		}
		return nil
	})
	if n, _, err := i.Store.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("%d lapsed while the ledger was gone: %v", n, err)
	}
	s.postgres.Restart()
	s.Await("confirmed", 10*time.Second, func() error {
		_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: "paid"})
		return err
	})
	s.Check()
}
