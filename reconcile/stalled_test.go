package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// stalls keep a Postgres that runs from being written. Each returns what ends it.
var stalls = map[string]func(t *testing.T, s *stage) (end func()){
	"read-only": func(t *testing.T, s *stage) func() {
		s.sql(t, `alter system set default_transaction_read_only = on`)
		s.sql(t, `select pg_reload_conf()`)
		return func() {
			s.sql(t, `set default_transaction_read_only = off`, `alter system reset default_transaction_read_only`)
			s.sql(t, `select pg_reload_conf()`)
		}
	},
	"disk full": func(t *testing.T, s *stage) func() {
		s.sql(t, `create function fail() returns trigger language plpgsql as
$$ begin raise exception 'as if' using errcode = '53100'; end $$`)
		s.sql(t, `create trigger fail before insert on movements for each statement execute function fail()`)
		return func() { s.sql(t, `drop trigger fail on movements`) }
	},
	"a right is missing": func(t *testing.T, s *stage) func() {
		s.sql(t, `create function fail() returns trigger language plpgsql as
$$ begin raise exception 'as if' using errcode = '42501'; end $$`)
		s.sql(t, `create trigger fail before insert on movements for each statement execute function fail()`)
		return func() { s.sql(t, `drop trigger fail on movements`) }
	},
	"a deadlock, again and again": func(t *testing.T, s *stage) func() {
		s.sql(t, `create function fail() returns trigger language plpgsql as
$$ begin raise exception 'as if' using errcode = '40P01'; end $$`)
		s.sql(t, `create trigger fail before insert on movements for each statement execute function fail()`)
		return func() { s.sql(t, `drop trigger fail on movements`) }
	},
	"a lock of somebody else": func(t *testing.T, s *stage) func() {
		tx, err := s.Pool.Begin(t.Context())
		reconciletest.Must(t, err)
		_, err = tx.Exec(t.Context(), `lock table movements in share mode`)
		reconciletest.Must(t, err)
		return func() { reconciletest.Must(t, tx.Rollback(context.Background())) }
	},
	"paused": func(t *testing.T, s *stage) func() {
		s.postgres.Pause()
		return s.postgres.Resume
	},
}

// sql runs statements on a connection of its own.
func (s *stage) sql(t *testing.T, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), s.postgres.URL())
	reconciletest.Must(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	for _, statement := range statements {
		_, err := conn.Exec(context.Background(), statement)
		reconciletest.Must(t, err)
	}
}

// TestScenario_LedgerStalls keeps Postgres from being written while it runs. In the process that
// applies and in another one, calls must be refused without a wait, and the reason must be known.
// Everything must go on by itself afterwards.
func TestScenario_LedgerStalls(t *testing.T) {
	t.Parallel()
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			one := s.Started(nil)
			one.Count("TEE", "berlin", 1_000_000)
			two := s.Start(nil)
			one.Reserve("a", "TEE", 1)
			two.Reserve("b", "TEE", 1)
			s.Quiesce()
			end := stall(t, s)
			defer func() { end() }()
			for _, i := range []*reconciletest.Instance{one, two} {
				s.Await("the failure is known", 10*time.Second, func() error {
					if i.Ledger.Failure() != nil {
						return nil
					}
					order := fmt.Sprint("order", s.Ops.Add(1)) // a process that never has the lock learns it from its calls
					i.Reserve(order, "TEE", 1)
					_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: order})
					return fmt.Errorf("%s: %w", order, err)
				})
				refused := make(chan error, 1)
				go func() { // without a deadline: it must not wait for one
					refused <- i.Ledger.Await(context.Background(), wire.Awaited{Step: wire.Step{ID: "none", CreationNonce: "n", Version: 1}, Epoch: 1})
				}()
				select {
				case err := <-refused:
					if !errors.Is(err, cache.ErrNotDurable) {
						t.Errorf("a call was answered %v", err)
					}
				case <-time.After(10*time.Second + reconciletest.Busy):
					t.Fatal("a call waits, although nothing can be decided")
				}
			}
			end()
			end = func() {}
			for id, i := range map[string]*reconciletest.Instance{"a": one, "b": two} {
				s.Await("it is confirmed", 20*time.Second, func() error {
					_, err := i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: id})
					return errors.Join(err, i.Ledger.Failure())
				})
			}
			s.Check()
		})
	}
}
