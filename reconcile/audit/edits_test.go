package audit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// limitDrop puts a purchase limit on DROP.
func limitDrop(i *reconciletest.Instance) {
	i.Rig.TB.Helper()
	rules, err := location.Compile(location.Directory{
		Locations: []location.Location{{ID: "berlin", Zones: []string{"all"}}}, Zones: []location.Zone{{ID: "all"}},
		Channels: []location.SalesChannel{{ID: "web", Default: true, Locations: []location.ID{"berlin"}}},
		Limits:   []location.Limit{{ID: "drop", Channels: []location.Channel{"web"}, SKUs: []location.SKU{"DROP"}, PerCustomer: 50}},
	})
	if err != nil {
		i.Rig.TB.Fatal(err)
	}
	i.Store.Direct(rules)
	i.Count("DROP", "berlin", 1000)
}

// buyLimited reserves units of DROP for a customer.
func buyLimited(i *reconciletest.Instance, id, customer string, units int64) {
	i.Rig.TB.Helper()
	request := reconciletest.Order(id, "DROP", units)
	request.Customer = customer
	if _, err := i.Store.Reserve(context.Background(), request); err != nil {
		i.Rig.TB.Fatal(err)
	}
}

// editor changes Redis by hand, each name once, and knows what an audit must find.
type editor struct {
	*testing.T
	client *redis.Client
	random *rand.Rand
	want   []string // beginnings of findings
}

func (e *editor) done(err error, want string, args ...any) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
	e.want = append(e.want, fmt.Sprintf(want, args...))
}

func (e *editor) get(key, field string) string {
	e.Helper()
	text, err := e.client.HGet(e.Context(), key, field).Result()
	if err != nil {
		e.Fatal(err)
	}
	return text
}

// counter adds to what is available.
func (e *editor) counter(sku string) {
	by := int64(1 + e.random.IntN(9))
	if e.random.IntN(2) == 0 {
		by = -by
	}
	before, _ := strconv.ParseInt(e.get(reconciletest.KeyStock, sku+"\x1fberlin"), 10, 64)
	err := e.client.HIncrBy(e.Context(), reconciletest.KeyStock, sku+"\x1fberlin", by).Err()
	e.done(err, "counter_drift %s berlin: %d on hand 100 committed 0 safety 0 backorder 0 > %d on hand 100 ", sku, before+by, before)
}

// onHand changes the counts of the level.
func (e *editor) onHand(sku string) {
	err := e.client.HSet(e.Context(), reconciletest.KeyLevels, sku+"\x1fberlin", "93\x1f2\x1f0\x1f0").Err()
	e.done(err, "counter_drift %s berlin: 98 on hand 93 committed 2 safety 0 backorder 0 > 98 on hand 100 committed 0 ", sku)
}

func (e *editor) nonsense(sku string) {
	err := e.client.HSet(e.Context(), reconciletest.KeyStock, sku+"\x1fberlin", "a\x1db").Err()
	e.done(err, "counter_drift %s berlin: \"a\\x1db\", ", sku)
}

func (e *editor) halfGone(sku string) {
	err := e.client.HDel(e.Context(), reconciletest.KeyStock, sku+"\x1fberlin").Err()
	e.done(err, "level_missing %s berlin: nothing, ", sku)
}

func (e *editor) gone(sku string) {
	err := e.client.HDel(e.Context(), reconciletest.KeyStock, sku+"\x1fberlin").Err()
	if err == nil {
		err = e.client.HDel(e.Context(), reconciletest.KeyLevels, sku+"\x1fberlin").Err()
	}
	e.done(err, "level_missing %s berlin: nothing > 98 ", sku)
}

func (e *editor) unknown(sku string) {
	err := e.client.HSet(e.Context(), reconciletest.KeyStock, sku+"\x1fmoon", "7").Err()
	e.done(err, "level_unknown %s moon: \"7\", nothing > nothing", sku)
}

func (e *editor) lost(id string) {
	err := e.client.HDel(e.Context(), reconciletest.KeyReservations, id).Err()
	e.done(err, "reservation_missing %s: nothing > held v1 2 ", id)
}

func (e *editor) extra(id string) {
	err := e.client.HSet(e.Context(), reconciletest.KeyReservations, "copy of "+id, e.get(reconciletest.KeyReservations, id)).Err()
	e.done(err, "reservation_extra copy of %s: held v1 2 ", id)
}

func (e *editor) state(id string) {
	text := strings.Replace(e.get(reconciletest.KeyReservations, id), "held", "confirmed", 1)
	err := e.client.HSet(e.Context(), reconciletest.KeyReservations, id, text).Err()
	e.done(err, "reservation_state %s: confirmed v1 2 ", id)
}

func (e *editor) unreadable(id string) {
	err := e.client.HSet(e.Context(), reconciletest.KeyReservations, id, "no\x1drecord\xff").Err()
	e.done(err, "reservation_state %s: \"no\\x1drecord\\xff\" > held v1 2 ", id)
}

func (e *editor) limit(customer string) {
	err := e.client.HIncrBy(e.Context(), reconciletest.KeyLimits, "drop\x1f"+customer, 3).Err()
	e.done(err, "limit_drift drop %s: 5 > 2, ", customer)
}

func (e *editor) unlimited(customer string) {
	err := e.client.HDel(e.Context(), reconciletest.KeyLimits, "drop\x1f"+customer).Err()
	e.done(err, "limit_drift drop %s: 0 > 2, ", customer)
}

func (e *editor) limitNonsense(customer string) {
	err := e.client.HSet(e.Context(), reconciletest.KeyLimits, "drop\x1f"+customer, "x").Err()
	e.done(err, "limit_drift drop %s: \"x\" > 2, ", customer)
}

// noDeadline removes the deadline of a reservation.
func (e *editor) noDeadline(id string) {
	members, err := e.client.ZRange(e.Context(), reconciletest.KeyDeadlines, 0, -1).Result()
	for _, m := range members {
		if slices.Contains(strings.Split(m, "\x1f"), id) && err == nil {
			err = e.client.ZRem(e.Context(), reconciletest.KeyDeadlines, m).Err()
		}
	}
	e.done(err, "deadline_missing %s: held v1 2 ", id)
}

// lateDeadline postpones the deadline of a reservation.
func (e *editor) lateDeadline(id string) {
	members, err := e.client.ZRange(e.Context(), reconciletest.KeyDeadlines, 0, -1).Result()
	for _, m := range members {
		if slices.Contains(strings.Split(m, "\x1f"), id) && err == nil {
			err = e.client.ZIncrBy(e.Context(), reconciletest.KeyDeadlines, 1000, m).Err()
		}
	}
	e.done(err, "deadline_missing %s: held v1 2 ", id)
}

func (e *editor) orphan(id string) {
	err := e.client.ZAdd(e.Context(), reconciletest.KeyDeadlines, redis.Z{Score: float64(time.Now().Add(time.Hour).UnixMilli()), Member: "never " + id + "\x1f" + id}).Err()
	e.done(err, "deadline_orphaned never %s: ", id)
}

// editAll makes n random edits, each of a level and a reservation of its own.
func (e *editor) editAll(n int, skus []string) {
	edits := []func(string){
		e.counter, e.onHand, e.nonsense, e.halfGone, e.gone, e.unknown, e.lost, e.extra, e.state, e.unreadable, e.limit, e.unlimited,
		e.limitNonsense, e.noDeadline, e.lateDeadline, e.orphan, e.counter, e.counter, e.lost, e.limit,
	}
	e.random.Shuffle(len(edits), func(i, j int) { edits[i], edits[j] = edits[j], edits[i] })
	for k := range n {
		edits[k%len(edits)](skus[k])
	}
}

// TestAudit_Edits finds exactly 20 edits by hand while others sell, and repairs each once.
func TestAudit_Edits(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	limitDrop(i)
	seed := reconciletest.SeedOf(t)
	e := &editor{T: t, client: i.Client, random: rand.New(rand.NewPCG(seed, 1))}
	var skus []string
	for n := range 20 {
		sku := []string{"A:%d", "a b %d", "%d", "ü-%d", "100%%-%d"}[n%5]
		sku = fmt.Sprintf(sku, 1000+n)
		skus = append(skus, sku)
		i.Count(location.SKU(sku), "berlin", 100)
		i.Reserve(sku, location.SKU(sku), 2) // ids are their own name space
		buyLimited(i, "drop-"+sku, sku, 2)
	}
	i.Store.Direct(nil)
	l := reconciletest.StartLoad(t, seed, reconciletest.AtFull(4, 4), 5, i)
	awaitApplied(r, "drop-"+skus[19])
	e.editAll(20, skus)
	found := i.Audit(audit.Options{})
	got := reconciletest.Findings(t, i.Ledger, found.ID)
	slices.Sort(e.want)
	if len(got) != len(e.want) {
		t.Fatalf("%d findings:\n  %s\nwant:\n  %s", len(got), strings.Join(got, "\n  "), strings.Join(e.want, "\n  "))
	}
	for n, want := range e.want {
		if !strings.HasPrefix(got[n], want) {
			t.Errorf("%s\nwant %s", got[n], want)
		}
	}
	repaired := i.Audit(audit.Options{Repair: true, Actor: "anna"})
	if repaired.Drift != 0 || repaired.Repaired != 20 {
		t.Errorf("repaired: %+v\n%s", repaired, strings.Join(reconciletest.Findings(t, i.Ledger, repaired.ID), "\n"))
	}
	again := i.Audit(audit.Options{Repair: true})
	l.Stop()
	if left := reconciletest.Findings(t, i.Ledger, again.ID); again.Repaired != 0 || len(left) > 0 {
		t.Errorf("again: %+v\n%s", again, strings.Join(left, "\n"))
	}
	r.Check()
	var movements int
	query := `select count(*) from movements where verb = 'repair' and actor = 'anna' and operation_id = $1
and (on_hand, held, committed, safety_stock, backorder_limit) = (0, 0, 0, 0, 0) and reason <> ''`
	if err := r.Pool.QueryRow(t.Context(), query, repaired.ID).Scan(&movements); err != nil || movements < 5 {
		t.Errorf("%d movements of the repair, %v", movements, err)
	}
}

// TestAudit_RenamedLevel finds a level under both names if somebody renamed it: Redis still has as
// many levels as the ledger.
func TestAudit_RenamedLevel(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	r.Quiesce()
	for _, key := range []string{reconciletest.KeyStock, reconciletest.KeyLevels} {
		text, err := i.Client.HGet(t.Context(), key, "TEE\x1fberlin").Result()
		reconciletest.Must(t, err)
		reconciletest.Must(t, i.Client.HSet(t.Context(), key, "TEA\x1fberlin", text).Err())
		reconciletest.Must(t, i.Client.HDel(t.Context(), key, "TEE\x1fberlin").Err())
	}
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID,
		"level_missing TEE berlin: nothing > 10 on hand 10 committed 0 safety 0 backorder 0, open",
		"level_unknown TEA berlin: 10 on hand 10 committed 0 safety 0 backorder 0 > nothing, open")
	if done := i.Audit(audit.Options{Repair: true}); done.Repaired != 2 || done.Drift != 0 {
		t.Errorf("%+v", done)
	}
	r.Check()
}

// TestAudit_UnstorableNames finds and removes fields whose names no database can store.
func TestAudit_UnstorableNames(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Reserve("a", "TEE", 1)
	r.Quiesce()
	text, err := i.Client.HGet(t.Context(), reconciletest.KeyReservations, "a").Result()
	reconciletest.Must(t, err)
	var want []string
	for _, name := range []string{"\xff", "a\x00b", "a\x1fb", ""} {
		reconciletest.Must(t, i.Client.HSet(t.Context(), reconciletest.KeyReservations, name, text).Err())
		want = append(want, fmt.Sprintf("reservation_extra %q: held v1 1 TEE berlin > nothing, open", name))
	}
	reconciletest.ExpectFindings(t, i.Ledger, i.Audit(audit.Options{}).ID, want...)
	if done := i.Audit(audit.Options{Repair: true}); done.Repaired != len(want) || done.Drift != 0 {
		t.Errorf("%+v", done)
	}
	r.Check()
}

// awaitApplied waits until the ledger has a reservation.
func awaitApplied(r *reconciletest.Rig, id string) {
	r.TB.Helper()
	r.Await(id+" is applied", 10*time.Second, func() error {
		if record := r.State(id); record.Version == 0 {
			return cache.ErrNotFound
		}
		return nil
	})
}

// TestAudit_UnderLoad finds nothing under load, however much is in progress.
func TestAudit_UnderLoad(t *testing.T) {
	t.Parallel()
	comparisons := reconciletest.AtFull(int64(200_000), 10_000)
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	l := reconciletest.StartLoad(t, reconciletest.SeedOf(t), reconciletest.AtFull(16, 16), 40, i)
	alone := l.Rate(reconciletest.AtFull(5*time.Second, time.Second))
	before, started, done, audits := l.Calls.Load(), time.Now(), int64(0), 0
	for ; done < comparisons; audits++ {
		a := i.Audit(audit.Options{})
		done += a.Levels + a.Reservations + a.Deadlines
		if a.Drift > 0 {
			t.Fatalf("%+v\n%s", a, strings.Join(reconciletest.Findings(t, i.Ledger, a.ID), "\n"))
		}
	}
	rate := float64(l.Calls.Load()-before) / time.Since(started).Seconds()
	l.Stop()
	t.Logf("FIGURES %d audits, %d comparisons at %.0f calls/s, %.0f without: nothing was found", audits, done, rate, alone)
	r.Check()
}

// TestAudit_DuringRefusals oversells through a counter that is too high, so that the ledger keeps
// refusing sales. The audit finds the drift exactly, and nothing among the sales being undone.
func TestAudit_DuringRefusals(t *testing.T) {
	t.Parallel()
	r := reconciletest.NewRig(t)
	i := r.Started(nil)
	i.Count("SHORT", "berlin", 1)
	reconciletest.Must(t, i.Client.HIncrBy(t.Context(), reconciletest.KeyStock, "SHORT\x1fberlin", 5000).Err())
	ctx, stop := context.WithCancel(t.Context())
	var sellers sync.WaitGroup
	for n := range 4 {
		sellers.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				id := fmt.Sprintf("short-%d-%d", n, k)
				if _, err := i.Store.Reserve(context.Background(), reconciletest.Order(id, "SHORT", 2)); err == nil {
					_, _ = i.Store.Confirm(context.Background(), cache.TransitionRequest{ID: id})
				}
			}
		})
	}
	audits, n := reconciletest.AtFull(25, 10), 0 // each has more at rest to look at than the one before
	for ; n < audits || i.Reconciler.Stats().Refused < int64(2*audits); n++ {
		a := i.Audit(audit.Options{})
		list, err := i.Ledger.AuditFindings(t.Context(), a.ID, ledger.FindingFilter{}, 1000)
		if err != nil || a.Drift != 1 {
			t.Fatalf("%+v, %v\n%s", a, err, strings.Join(reconciletest.Findings(t, i.Ledger, a.ID), "\n"))
		}
		for k := range list {
			f := &list[k]
			if f.Kind.Drift() && (f.Kind != ledger.KindCounterDrift || ledger.SumCounts(audit.Counts(f.Redis), audit.Counts(f.Ledger), -1) != wire.LevelCounts{Available: 5000}) {
				t.Fatal(reconciletest.DescribeFinding(f))
			}
		}
	}
	done, err := i.Auditor(nil).Run(t.Context(), audit.Options{Repair: true, MaxUnits: -1})
	if err != nil || done.Drift != 0 || done.Repaired != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	stop()
	sellers.Wait()
	t.Logf("FIGURES %d audits among %d refused steps", n, i.Reconciler.Stats().Refused)
	r.Check()
}
