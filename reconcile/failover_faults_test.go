package reconcile_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// failing is a deployment under load whose Redis fails.
type failing struct {
	*reconciletest.Rig
	servers *redistest.Replicated
	cluster bool
	probe   probe
	since   time.Time     // the event from which the time until a hold is taken counts
	after   time.Duration // that time, if the fault has several events and measures it itself
}

// failovers are the faults of a replicated Redis. Each says within which time after its event a hold must be
// taken, and how many holds may be lost. Both depend on the machine, and are checked in the campaign only.
var failovers = []struct {
	name    string
	cluster bool
	holds   int // that are there before; such a row runs in the campaign only
	fault   func(f *failing)
	within  time.Duration
	lostMax int
}{
	{"cluster, kill -9", true, 0, (*failing).killPrimary, time.Second, anyHolds},
	{"cluster, kill -9 with 200,000 holds", true, 200_000, (*failing).killPrimary, time.Second, anyHolds},
	{"cluster, CLUSTER FAILOVER", true, 0, func(f *failing) {
		f.ask(f.servers.Replica, "cluster", "failover")
		f.promoted()
	}, 500 * time.Millisecond, 0},
	{"cluster, SIGSTOP, SIGCONT", true, 0, (*failing).pausePrimary, time.Second, 20},
	{"cluster, two of three masters", true, 0, (*failing).killMasters, 5 * time.Second, anyHolds},
	{"cluster, slot moved", true, 0, (*failing).moveSlot, time.Second, anyHolds},
	{"sentinel, kill -9", false, 0, (*failing).killPrimary, 500 * time.Millisecond, 20},
	{"sentinel, SENTINEL FAILOVER", false, 0, func(f *failing) {
		f.ask(f.servers.Judges[0], "sentinel", "failover", redistest.SentinelName)
		f.since = time.Time{} // +switch-master counts
		f.promoted()
	}, 500 * time.Millisecond, 20},
	{"sentinel, SIGSTOP, SIGCONT", false, 0, (*failing).pausePrimary, 500 * time.Millisecond, 20},
	{"sentinel, one sentinel gone, then kill -9", false, 0, func(f *failing) {
		f.servers.Judges[0].Kill()
		f.killPrimary()
	}, 500 * time.Millisecond, 20},
	{"sentinel, two sentinels gone", false, 0, func(f *failing) {
		f.servers.Judges[0].Kill()
		f.servers.Judges[1].Kill()
		f.since = time.Now()
	}, 500 * time.Millisecond, 0},
}

// anyHolds allows every hold to be lost that the replica and the ledger did not have. With kill -9 that is
// what the last milliseconds brought.
const anyHolds = 1 << 30

// TestFailoverUnderLoad makes each fault happen while callers buy over two instances. Nothing may be sold
// twice, no acknowledged sale may be missing, each lost hold must be told not_found, and Redis and the ledger
// must agree at the end.
func TestFailoverUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("eleven failovers under load, each several seconds")
	}
	campaign := reconciletest.AtFull(2, 1) > 1
	seed := reconciletest.SeedOf(t)
	for n, row := range failovers {
		if row.holds > 0 && !campaign {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			if !campaign {
				t.Parallel()
			}
			f, instances := startFailing(t, row.cluster)
			f.fill(instances[0], row.holds)
			l := reconciletest.StartLoad(t, seed+uint64(n), reconciletest.AtFull(16, 4), 20, instances...)
			f.probe.start(instances[0])
			l.UntilSold(f.Rig, 20)
			before, began := l.Calls.Load(), time.Now()
			row.fault(f)
			f.probe.servesAfter(f.Rig, f.since)
			l.Rate(reconciletest.AtFull(3*time.Second, 500*time.Millisecond)) // an old primary may still be there
			during := float64(l.Calls.Load()-before) / time.Since(began).Seconds()
			f.probe.servesAfter(f.Rig, time.Now())
			l.Stop()
			gap, end := f.probe.stop(began)
			f.Check()
			got, after := l.Compare(f.Rig), cmp.Or(f.after, min(gap, max(0, end.Sub(f.since))))
			t.Logf("FIGURES %s: calls/s %.0f during; a hold %d ms after the event, %d ms without a hold; %d sold, %d missing, %d oversold, "+
				"%d holds lost, %d deliveries missing", row.name, during, after.Milliseconds(), gap.Milliseconds(),
				got.Sold, got.Missing, got.Oversold, got.Lost, got.DeliveriesMissing)
			if got.Missing+got.Oversold+got.DeliveriesMissing > 0 {
				t.Errorf("%+v", got)
			}
			if wrong := l.Wrong(); len(wrong) > 0 {
				t.Errorf("confirms of holds that were neither there nor not found:\n%s", strings.Join(wrong, "\n"))
			}
			if campaign && (during < 500 || after > row.within || got.Lost > row.lostMax) {
				t.Errorf("%.0f calls/s, at least 500 count; a hold after %v, at most %v; %d holds lost, at most %d",
					during, after, row.within, got.Lost, row.lostMax)
			}
		})
	}
}

// startFailing starts a replicated Redis and two instances over it.
func startFailing(t *testing.T, cluster bool) (*failing, []*reconciletest.Instance) {
	t.Helper()
	f := &failing{cluster: cluster}
	var endpoint config.Endpoint
	if cluster {
		f.servers = redistest.StartCluster6(t, reconciletest.KeyStock)
		endpoint.Hosts = []string{f.servers.Primary.Addr(), f.servers.Replica.Addr()}
	} else {
		f.servers = redistest.StartSentinels(t)
		endpoint.Primary = redistest.SentinelName
	}
	for _, judge := range f.servers.Judges {
		endpoint.Hosts = append(endpoint.Hosts, judge.Addr())
	}
	f.Rig = reconciletest.NewRigOver(t, f.servers.Primary)
	var instances []*reconciletest.Instance
	for range 2 {
		opened, err := dial.Open(endpoint)
		reconciletest.Must(t, err)
		t.Cleanup(func() { _ = opened.Close() })
		i := f.StartWith(opened.Client, nil)
		i.Open(5 * time.Second)
		instances = append(instances, i)
	}
	instances[0].Count("PROBE", "berlin", 1_000_000)
	return f, instances
}

// fill takes a number of holds.
func (f *failing) fill(i *reconciletest.Instance, holds int) {
	if holds == 0 {
		return
	}
	f.TB.Helper()
	i.Count("BULK", "berlin", int64(holds))
	var filling sync.WaitGroup
	const callers = 64
	for n := range callers {
		filling.Go(func() {
			for k := n; k < holds; k += callers {
				if _, err := i.Store.Reserve(context.Background(), reconciletest.Order(fmt.Sprint("bulk-", k), "BULK", 1)); err != nil {
					f.TB.Error(err)
					return
				}
			}
		})
	}
	filling.Wait()
	f.Quiesce()
}

// ask asks a server for a failover, and again if there is none: on a busy machine it may give up.
func (f *failing) ask(s *redistest.Server, command ...any) {
	f.TB.Helper()
	c := s.Client(f.TB)
	var err error
	f.Await("the failover", 30*time.Second, func() error {
		if time.Since(f.since) > 10*time.Second {
			f.since = time.Now()
			err = c.Do(context.Background(), command...).Err()
		}
		if !f.isPrimary(f.servers.Replica) {
			return fmt.Errorf("not yet: %w", err)
		}
		return nil
	})
}

// isPrimary reports whether a server says that it is a primary.
func (f *failing) isPrimary(s *redistest.Server) bool {
	f.TB.Helper()
	about, err := s.Client(f.TB).Info(context.Background(), "replication").Result()
	return err == nil && strings.Contains(about, "role:master")
}

func (f *failing) killPrimary() {
	f.servers.Primary.Kill()
	f.promoted()
}

// promoted waits until the replica has become the primary, and everybody may know that.
func (f *failing) promoted() {
	f.TB.Helper()
	f.servers.AwaitPromotion(f.TB)
	if !f.cluster {
		f.servers.AwaitSwitch(f.TB)
	}
	if f.since.IsZero() { // else the fault was planned, and counts from its beginning
		f.since = time.Now()
	}
	f.Redis = f.servers.Replica
	f.begun(2)
}

// begun waits until the shard is at an epoch, at least.
func (f *failing) begun(epoch int64) {
	f.TB.Helper()
	c := f.Client()
	f.Await("the next epoch has begun", 10*time.Second, func() error {
		stored, err := c.HGet(context.Background(), reconciletest.KeyStock, "epoch").Int64()
		if err == nil && stored < epoch {
			err = fmt.Errorf("epoch %d", stored)
		}
		return err
	})
}

// pausePrimary pauses the primary until the replica has been promoted, and lets it go on.
func (f *failing) pausePrimary() {
	f.servers.Primary.Pause()
	f.servers.AwaitPromotion(f.TB)
	f.servers.Primary.Resume()
	f.promoted()
}

// killMasters kills the primary and another master, so that nobody can promote a replica, and starts both
// again.
func (f *failing) killMasters() {
	judge := f.servers.Judges[0]
	f.servers.Primary.Kill()
	judge.Kill()
	f.clusterIs("fail", f.servers.Judges[1])
	f.servers.Primary.Restart()
	judge.Restart()
	f.clusterIs("ok", f.servers.Judges[1])
	f.since = time.Now()
	f.Redis = f.master()
	f.begun(2)
}

// clusterIs waits until a node says in which state the cluster is.
func (f *failing) clusterIs(state string, node *redistest.Server) {
	f.TB.Helper()
	c := node.Client(f.TB)
	f.Await("the cluster is "+state, 10*time.Second, func() error {
		info, err := c.ClusterInfo(context.Background()).Result()
		if err == nil && !strings.Contains(info, "cluster_state:"+state) {
			err = fmt.Errorf("%q", info)
		}
		return err
	})
}

// master returns the one of the two servers that is the primary now.
func (f *failing) master() *redistest.Server {
	f.TB.Helper()
	var found *redistest.Server
	f.Await("one of the two is the primary", 10*time.Second, func() error {
		for _, s := range []*redistest.Server{f.servers.Primary, f.servers.Replica} {
			if f.isPrimary(s) {
				found = s
				return nil
			}
		}
		return errors.New("none is")
	})
	return found
}

// moveSlot moves the slot of the shard to another master and back.
func (f *failing) moveSlot() {
	here, there := f.servers.Primary, f.servers.Judges[0]
	for n := range reconciletest.AtFull(10, 1) {
		for leg, to := range []*redistest.Server{there, here} {
			from := here
			if leg == 1 {
				from = there
			}
			f.servers.MoveSlot(f.TB, reconciletest.KeyStock, from, to)
			f.since, f.Redis = time.Now(), to
			f.after = max(f.after, f.probe.servesAfter(f.Rig, f.since))
			f.begun(int64(2*n + leg + 2))
		}
	}
}

// probe takes hold after hold, and notes when it got one.
type probe struct {
	mu       sync.Mutex
	taken    []time.Time
	stopping chan struct{}
	done     chan struct{}
}

func (p *probe) start(i *reconciletest.Instance) {
	p.stopping, p.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.done)
		for n := 0; ; n++ {
			select {
			case <-p.stopping:
				return
			case <-time.After(5 * time.Millisecond):
			}
			_, err := i.Store.Reserve(context.Background(), reconciletest.Order(fmt.Sprint("probe-", n), location.SKU("PROBE"), 1))
			if err == nil {
				p.mu.Lock()
				p.taken = append(p.taken, time.Now())
				p.mu.Unlock()
			}
		}
	}()
}

// servesAfter waits until a hold is taken after an event, and returns how long after.
func (p *probe) servesAfter(r *reconciletest.Rig, event time.Time) (after time.Duration) {
	r.TB.Helper()
	r.Await("a hold is taken", 10*time.Second, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		n := slices.IndexFunc(p.taken, event.Before)
		if n < 0 {
			return fmt.Errorf("%d holds were taken before", len(p.taken))
		}
		after = p.taken[n].Sub(event)
		return nil
	})
	return after
}

// stop ends the probe. It returns the longest time without a hold since a moment, and when that ended.
func (p *probe) stop(since time.Time) (longest time.Duration, end time.Time) {
	close(p.stopping)
	<-p.done
	taken := slices.DeleteFunc(p.taken, func(at time.Time) bool { return at.Before(since) })
	for _, at := range taken {
		if gap := at.Sub(since); gap > longest {
			longest, end = gap, at
		}
		since = at
	}
	return longest, end
}
