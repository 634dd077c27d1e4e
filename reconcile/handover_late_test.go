package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// lateReader is a ledger whose first session is stopped once it has read the position, as SIGSTOP stops a process.
type lateReader struct {
	*Postgres
	stop  *stopAt
	ended chan struct{} // closed with that session
	once  sync.Once
}

func (l *lateReader) lock(ctx context.Context) (session, error) {
	s, err := l.Postgres.lock(ctx)
	if err == nil {
		l.once.Do(func() { s = &lateSession{session: s, ledger: l} })
	}
	return s, err
}

type lateSession struct {
	session
	ledger *lateReader
}

func (s *lateSession) position(ctx context.Context) (position, bool, error) {
	at, there, err := s.session.position(ctx)
	s.ledger.stop.point("position")
	return at, there, err
}

func (s *lateSession) close() {
	s.session.close()
	close(s.ledger.ended)
}

// TestHandover_ComparesLate has the holder of the lock be stopped between reading the position and looking at Redis,
// while another applies and trims, or rebuilds: what the first has read is old, and the ledger is not.
func TestHandover_ComparesLate(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(i *instance){
		"trimmed": func(*instance) {},
		"rebuilt": func(i *instance) {
			must(t, i.client.FlushAll(context.Background()).Err())
			_, err := AwaitOpen(context.Background(), i.client, "holdfast", 1)
			must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			before := r.started(nil)
			r.quiesce()
			before.stop()
			late := &lateReader{Postgres: NewPostgres(r.pool, 0), stop: newStop(t, "position"), ended: make(chan struct{})}
			r.start(func(r *Reconciler) { r.Ledger = late })
			late.stop.wait(t)
			two := r.start(nil)
			two.reserve("a", "TEE", 1)
			r.await("another confirms", 8*time.Second, func() error {
				_, err := two.store.Confirm(context.Background(), cache.TransitionRequest{ID: "a"})
				return err
			})
			meanwhile(two)
			r.await("the stream is trimmed", 3*time.Second, func() error {
				n, err := two.client.XLen(context.Background(), "{holdfast:0}:events").Result()
				if n != 1 {
					return fmt.Errorf("%d entries, %w", n, err)
				}
				return nil
			})
			late.stop.letGo()
			<-late.ended
			if gate, err := two.client.HGet(t.Context(), "{holdfast:0}:stock", "gate").Result(); gate == "stopped" {
				t.Fatalf("the gate is %q, %v", gate, err)
			}
			two.reserve("b", "TEE", 1)
			two.confirm("b")
			r.check()
		})
	}
}

// TestHandover_LoaderStopped has a process be stopped while it loads scripts: the others get to load them.
func TestHandover_LoaderStopped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.started(nil)
	stop := newStop(t, "loading")
	loaded := make(chan error, 1)
	go func() {
		loaded <- NewPostgres(r.pool, 0).Loading(context.Background(), func(context.Context, cache.Position) error {
			stop.point("loading")
			return nil
		})
	}()
	stop.wait(t)
	must(t, i.client.ScriptFlush(t.Context()).Err())
	r.await("a hold is taken", 8*time.Second, func() error {
		_, err := i.store.Reserve(context.Background(), order("a", "TEE", 1))
		return err
	})
	stop.letGo()
	if err := <-loaded; !errors.Is(err, cache.ErrNotDurable) {
		t.Errorf("it went on with a lock that it had lost: %v", err)
	}
	i.confirm("a")
	r.check()
}

// TestHandover_LateWithPostgresDown has the holder of the lock be stopped before it says until when holds may expire,
// and Postgres be gone when it goes on: it knows nothing of the time between, in which a hold that was paid for fell due.
func TestHandover_LateWithPostgresDown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	stop := newStop(t, "trim")
	var armed atomic.Bool
	i := s.started(func(r *Reconciler) {
		r.point = func(name string) {
			if armed.Load() {
				stop.point(name)
			}
		}
	})
	paid := order("paid", "TEE", 10)
	paid.TTL = 5 * time.Second
	held, err := i.store.Reserve(t.Context(), paid)
	must(t, err)
	s.quiesce()
	armed.Store(true)
	stop.wait(t)
	s.postgres.Kill()
	s.await("its deadline has passed", 10*time.Second, func() error {
		if left := held.ExpiresAt.UnixMilli() - s.rig.moment().UnixMilli(); left > -100 {
			return fmt.Errorf("%d ms are left", left)
		}
		return nil
	})
	stop.letGo()
	s.await("it has given up", 10*time.Second, func() error {
		if i.reconciler.Stats().Working {
			return errors.New("it works")
		}
		return nil
	})
	if n, _, err := i.store.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("%d lapsed while the ledger was gone: %v", n, err)
	}
	s.postgres.Restart()
	s.await("confirmed", 10*time.Second, func() error {
		_, err := i.store.Confirm(context.Background(), cache.TransitionRequest{ID: "paid"})
		return err
	})
	s.check()
}
