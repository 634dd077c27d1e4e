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
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// pausedLedger is a ledger whose first session pauses after it has read the position, as SIGSTOP
// pauses a process.
type pausedLedger struct {
	*postgres.Ledger
	stop  *reconciletest.StopAt
	ended chan struct{} // closed when that session closes
	once  sync.Once
}

func (l *pausedLedger) Lock(ctx context.Context) (ledger.Session, error) {
	s, err := l.Ledger.Lock(ctx)
	if err == nil {
		l.once.Do(func() { s = &pausedSession{Session: s, ledger: l} })
	}
	return s, err
}

type pausedSession struct {
	ledger.Session
	ledger *pausedLedger
}

func (s *pausedSession) Position(ctx context.Context) (ledger.PositionRow, bool, error) {
	at, there, err := s.Session.Position(ctx)
	s.ledger.stop.Point("position")
	return at, there, err
}

func (s *pausedSession) Close() {
	s.Session.Close()
	close(s.ledger.ended)
}

// TestHandover_PausedBeforeInspecting pauses the lock holder between reading the position and
// inspecting Redis. Meanwhile another process applies and trims, or rebuilds. The paused one has an
// old position, but must not take the ledger for older.
func TestHandover_PausedBeforeInspecting(t *testing.T) {
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
			late := &pausedLedger{Ledger: postgres.New(r.Pool, 0), stop: reconciletest.NewStop(t, "position"), ended: make(chan struct{})}
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

// TestHandover_LoaderPaused pauses a process while it loads scripts: the others must get to load
// them.
func TestHandover_LoaderPaused(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	stop := reconciletest.NewStop(t, "loading")
	loaded := make(chan error, 1)
	go func() {
		loaded <- postgres.New(r.Pool, 0).Loading(context.Background(), func(context.Context, wire.Position) error {
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
		t.Errorf("the loader went on with a lock that it had lost: %v", err)
	}
	i.Confirm("a")
	r.Check()
}

// TestHandover_PausedWithPostgresDown pauses the lock holder before it moves the limit of expiry,
// and kills Postgres. A paid hold falls due meanwhile. It must not expire when the holder goes on.
func TestHandover_PausedWithPostgresDown(t *testing.T) {
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
	s.Await("the holder has given up", 10*time.Second, func() error {
		if i.Reconciler.Stats().Working {
			return errors.New("it is still working")
		}
		return nil
	})
	if n, _, err := i.Store.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("%d holds expired while the ledger was down: %v", n, err)
	}
	s.postgres.Restart()
	s.Await("confirmed", 10*time.Second, func() error {
		_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: "paid"})
		return err
	})
	s.Check()
}
