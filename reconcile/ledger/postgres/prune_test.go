package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// box is an archive in memory.
type box struct {
	text, safe strings.Builder
	syncs      int
	failAt     int // the call of Sync that fails; 0: none does
}

func (b *box) Write(p []byte) (int, error) { return b.text.Write(p) }

func (b *box) Sync() error {
	if b.syncs++; b.syncs == b.failAt {
		return errors.New("the disk is full")
	}
	b.safe.Reset()
	b.safe.WriteString(b.text.String())
	return nil
}

// aged returns a ledger with reservations in every state.
func agedRig(t *testing.T) (*reconciletest.Rig, *reconciletest.Instance) {
	t.Helper()
	r := reconciletest.NewRig(t)
	i := r.Start(nil)
	i.Open(5 * time.Second)
	for n := range 3 {
		i.Count(location.SKU(fmt.Sprint("TEE-", n)), "berlin", 100)
	}
	for n := range 12 {
		id := fmt.Sprint("o", n)
		i.Reserve(id, location.SKU(fmt.Sprint("TEE-", n%3)), int64(n%4+1))
		if n%4 != 0 {
			i.Confirm(id)
		}
		switch {
		case n%4 == 2:
			_, err := i.Store.Release(t.Context(), cache.TransitionRequest{ID: id})
			reconciletest.Must(t, err)
		case n%4 == 3:
			_, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: id})
			reconciletest.Must(t, err)
		}
	}
	r.Check()
	forgot(r, t)
	return r, i
}

// forgot marks all resolved reservations as forgotten by Redis, as after the retention.
func forgot(r *reconciletest.Rig, t *testing.T) {
	t.Helper()
	_, err := r.Pool.Exec(t.Context(), `update positions set forgotten_to = now() + interval '1 day'`)
	reconciletest.Must(t, err)
}

// TestPrune archives resolved reservations whole. Levels and the sums of their movements stay, and
// an id is never used again.
func TestPrune(t *testing.T) {
	r, i := agedRig(t)
	movements := r.Number(t, `select count(*) from movements`)
	soon := time.Now().Add(time.Hour)
	there, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: soon})
	if err != nil || there != (postgres.Pruned{Reservations: 6, Movements: movements}) {
		t.Fatalf("would be archived: %+v %v, want 6 and %d", there, err, movements)
	}
	var seen []int64
	archive := &box{}
	options := postgres.PruneOptions{Before: soon, Archive: archive, Progress: func(done, total int64) {
		seen = append(seen, done, total)
	}}
	done, err := i.Ledger.Prune(t.Context(), options.Paged(4))
	if err != nil || done != there {
		t.Fatalf("archived: %+v %v, want %+v", done, err, there)
	}
	if lines := strings.Count(archive.safe.String(), "\n"); int64(lines) != 6+movements {
		t.Errorf("%d lines in the archive, want %d", lines, 6+movements)
	}
	for _, want := range []string{`"id":"o2"`, `"state":"released"`, `"id":"o3"`, `"state":"fulfilled"`, `"sku":"TEE-2"`, `"verb":"fulfill"`} {
		if !strings.Contains(archive.safe.String(), want) {
			t.Errorf("%s is not in the archive", want)
		}
	}
	if total := seen[len(seen)-1]; seen[0] != 0 || seen[len(seen)-2] != total || total != 6+movements {
		t.Errorf("progress %v", seen)
	}
	if n := r.Number(t, `select count(*) from movements`); n != 3 {
		t.Errorf("%d movements are left, want a sum for each level", n)
	}
	r.Check()
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID) // Redis still has the archived reservations
	if _, err := i.Ledger.Reservation(t.Context(), "o2"); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("an archived one: %v", err)
	}
	rows, _, err := i.Ledger.Search(t.Context(), cache.ReservationFilter{Limit: 50}, time.Now().UnixMilli())
	if err != nil || len(rows) != 6 {
		t.Errorf("%d are found, %v", len(rows), err)
	}
	if again, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: soon, Archive: &box{}}); err != nil || again != (postgres.Pruned{}) {
		t.Errorf("again: %+v %v", again, err)
	}

	units := int64(90)
	_, err = i.Store.Adjust(t.Context(), cache.AdjustRequest{ID: "count of before", AsOf: time.Now(), Changes: []cache.Change{
		{SKU: "TEE-0", Location: "berlin", OnHand: &units},
	}})
	var invalid *cache.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "is older than what the ledger keeps") {
		t.Errorf("a count of a moment whose movements are archived: %v", err)
	}

	reconciletest.Must(t, i.Client.HDel(t.Context(), "{holdfast:0}:reservations", "o2").Err()) // as after the retention
	asking, err := cache.New(i.Client, cache.Options{Ledger: i.Ledger})
	reconciletest.Must(t, err)
	if _, err := asking.Reserve(t.Context(), reconciletest.Order("o2", "TEE-0", 1)); !errors.Is(err, cache.ErrIDConflict) {
		t.Errorf("an id that was used is reserved: %v", err)
	}
	reconciletest.Must(t, asking.Close(t.Context()))
	i.ReserveUnasked("o2", "TEE-0", 1)
	if _, err := i.Store.Confirm(t.Context(), cache.TransitionRequest{ID: "o2"}); !errors.Is(err, cache.ErrIDConflict) {
		t.Errorf("an id that was used is confirmed: %v", err)
	}
	r.Check()
	reconciletest.Must(t, i.Client.FlushAll(t.Context()).Err())
	r.Await("o1 can be fulfilled", 10*time.Second, func() error {
		_, err := i.Store.Fulfill(t.Context(), cache.TransitionRequest{ID: "o1"})
		return err
	})
	r.Check()
}

// TestPrune_Stopped checks that nothing is lost: rows that the archive has not synced are still in
// the ledger.
func TestPrune_Stopped(t *testing.T) {
	r, i := agedRig(t)
	soon := time.Now().Add(time.Hour)
	there, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: soon})
	reconciletest.Must(t, err)
	var all string
	for failAt := 2; ; failAt = 2 {
		archive := &box{failAt: failAt}
		_, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: soon, Archive: archive}.Paged(5))
		all += archive.safe.String()
		r.Check()
		if err == nil {
			break
		}
	}
	if lines := int64(strings.Count(all, "\n")); lines < there.Reservations+there.Movements {
		t.Errorf("%d lines are archived, want %+v", lines, there)
	}
	for n := range 12 {
		if text := fmt.Sprintf(`"reservation" : {"id":"o%d"`, n); strings.Contains(all, text) != (n%4 >= 2) {
			t.Errorf("%s is archived: %v", text, n%4 < 2)
		}
	}
}

// TestPrune_Stays checks that Prune skips young and limited reservations, and those to undo.
func TestPrune_Stays(t *testing.T) {
	r, i := agedRig(t)
	_, err := r.Pool.Exec(t.Context(), `
update reservations set resolved_at = now() + interval '1 day' where id = 'o2';
update reservation_lines set limits = '[{"id": "drop", "per_customer": 9, "each": 1}]' where reservation_id = 'o3';
update reservation_lines set limits = '[{"id": "drop", "per_customer": 9, "each": 1}]', fulfilled = '{1}' where reservation_id = 'o10';
insert into refusals (shard, epoch, sequence, event, verb, reservation_id, birth, version, reason, created_at)
    values (0, 9, 9, 0, 'confirm', 'o6', 'n', 2, 'oversold', now())`)
	reconciletest.Must(t, err)
	if _, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: time.Now().Add(time.Hour), Archive: &box{}}); err != nil {
		t.Fatal(err)
	}
	if n := r.Number(t, `select count(*) from reservations where archived_at is not null and id not in ('o7', 'o11')`); n != 0 {
		t.Errorf("%d were archived that had to stay", n)
	}
	if n := r.Number(t, `select count(*) from reservations where archived_at is not null`); n != 2 {
		t.Errorf("%d were archived, want 2", n)
	}
}

// TestPrune_Remembered checks that Prune skips reservations that Redis was not told to forget: once
// they are archived, nobody would tell it.
func TestPrune_Remembered(t *testing.T) {
	r := reconciletest.NewRig(t)
	i := r.Shipped(nil)
	r.Quiesce()
	soon := time.Now().Add(time.Hour)
	done, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: soon, Archive: &box{}})
	if err != nil || done.Reservations != 0 || done.Movements == 0 {
		t.Errorf("%+v, %v", done, err)
	}
	r.Check()
	forgot(r, t)
	if there, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: soon}); err != nil || there != (postgres.Pruned{Reservations: 1}) {
		t.Errorf("forgotten: %+v, %v", there, err)
	}
}

// TestPrune_Once checks that a second concurrent Prune is refused.
func TestPrune_Once(t *testing.T) {
	r, i := agedRig(t)
	conn, err := r.Pool.Acquire(t.Context())
	reconciletest.Must(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), `select pg_advisory_lock($1::integer, `+postgres.LockOf+`)`, postgres.PruneClass, 0)
	reconciletest.Must(t, err)
	if _, err := i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: time.Now(), Archive: &box{}}); !errors.Is(err, postgres.ErrPruning) {
		t.Errorf("got %v", err)
	}
	_, err = conn.Exec(t.Context(), `select pg_advisory_unlock_all()`)
	reconciletest.Must(t, err)
}

// hanging is an archive whose Sync hangs, like a disk that does not answer.
type hanging struct {
	box
	stop *reconciletest.StopAt
}

func (h *hanging) Sync() error {
	h.stop.Point("sync")
	return h.box.Sync()
}

// TestPrune_Hangs checks that sales go on while the archive hangs, even returns of reservations
// that are being archived. Those are archived later, as they are then.
func TestPrune_Hangs(t *testing.T) {
	r, i := agedRig(t)
	archive := &hanging{stop: reconciletest.NewStop(t, "sync")}
	pruned := make(chan error, 1)
	go func() {
		_, err := i.Ledger.Prune(context.Background(), postgres.PruneOptions{Before: time.Now().Add(time.Hour), Archive: archive})
		pruned <- err
	}()
	archive.stop.Wait(t)
	_, err := i.Store.Return(t.Context(), cache.ReturnRequest{
		ID: "back", Reservation: "o3", To: "berlin", Lines: []cache.LineQuantity{{Line: "1", Quantity: 1}},
	})
	if err != nil {
		t.Errorf("what is archived does not come back: %v", err)
	}
	i.Reserve("new", "TEE-0", 1)
	i.Confirm("new")
	archive.stop.LetGo()
	reconciletest.Must(t, <-pruned)
	r.Check()
	if n := r.Number(t, `select count(*) from reservations where archived_at is not null and id <> 'o3'`); n != 5 {
		t.Errorf("%d others were archived, want 5", n)
	}
	_, err = i.Ledger.Prune(t.Context(), postgres.PruneOptions{Before: time.Now().Add(time.Hour), Archive: archive})
	reconciletest.Must(t, err)
	if text := archive.safe.String(); !strings.Contains(text[strings.LastIndex(text, `"reservation" : {"id":"o3"`):], `"returned":1`) {
		t.Errorf("it is not in the archive as it came back:\n%s", text)
	}
	r.Check()
}
