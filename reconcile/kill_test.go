package reconcile_test

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	interrupts "os/signal"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// In a child process this test runs a reconciler. The variables name its servers and the point at
// which it kills itself.
const (
	childRedis    = "HOLDFAST_TEST_REDIS"
	childPostgres = "HOLDFAST_TEST_POSTGRES"
	childPoint    = "HOLDFAST_TEST_POINT"
	childTimes    = "HOLDFAST_TEST_TIMES" // how often it reaches the point
)

// TestChild is not a test: it is the process that the tests below start.
func TestChild(t *testing.T) {
	if os.Getenv(childRedis) == "" {
		return
	}
	ledger, err := postgres.Open(os.Getenv(childPostgres), postgres.Options{})
	reconciletest.Must(t, err)
	defer ledger.Close()
	client := redis.NewClient(&redis.Options{
		Addr: os.Getenv(childRedis), MaxRetries: -1, DialerRetries: 1, Protocol: 2, DisableIdentity: true,
		DialTimeout: 500 * time.Millisecond, ReadTimeout: reconciletest.Busy, ContextTimeoutEnabled: true,
	})
	defer func() { _ = client.Close() }()
	times := 0
	die := func(name string) {
		if name != os.Getenv(childPoint) {
			return
		}
		if times++; strconv.Itoa(times) == os.Getenv(childTimes) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	ledger.Point = die
	ctx, stop := interrupts.NotifyContext(t.Context(), syscall.SIGTERM)
	defer stop()
	r := &reconcile.Reconciler{Client: client, Ledger: ledger, Logger: slog.New(slog.DiscardHandler), Point: die}
	reconciletest.Must(t, r.Run(ctx))
}

// child is a reconciler in its own process.
type child struct {
	command *exec.Cmd
	ended   chan struct{}
}

// startChild starts a reconciler that ends with the test, or when it reaches a point for the third time,
// so that some work was done before.
func startChild(r *reconciletest.Rig, point string) *child { return startChildUntil(r, point, 3) }

// startChildUntil starts a reconciler that ends when it reaches a point for the given time. Its goroutine
// keeps the thread that started it, because the kernel sends Pdeathsig when that thread ends.
func startChildUntil(r *reconciletest.Rig, point string, times int) *child {
	r.TB.Helper()
	c := &child{command: exec.Command(os.Args[0], "-test.run=^TestChild$"), ended: make(chan struct{})}
	c.command.Env = append(os.Environ(), childRedis+"="+r.Redis.Addr(), childPostgres+"="+r.Pool.Config().ConnString(), childPoint+"="+point,
		childTimes+"="+strconv.Itoa(times))
	c.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.ended)
		err := c.command.Start()
		started <- err
		if err == nil {
			_ = c.command.Wait()
		}
	}()
	if err := <-started; err != nil {
		r.TB.Fatal(err)
	}
	r.TB.Cleanup(c.kill)
	return c
}

func (c *child) signal(s syscall.Signal) { _ = c.command.Process.Signal(s) }

func (c *child) kill() {
	c.signal(syscall.SIGKILL)
	<-c.ended
}

// over returns an instance that only makes calls: the reconcilers are other processes.
func over(r *reconciletest.Rig) *reconciletest.Instance {
	r.TB.Helper()
	return r.Start(func(r *reconcile.Reconciler) { r.Ledger, r.Prefix = memory.New(), "unused" })
}

// TestKill_AtPoints kills a reconciler at each point of its work, under load. Another goes on, and
// every event must be applied once.
func TestKill_AtPoints(t *testing.T) {
	if testing.Short() {
		t.Skip("processes under load, several seconds each")
	}
	seed := reconciletest.SeedOf(t)
	for _, point := range []string{"read", "written", "applied", "trim"} {
		t.Run(point, func(t *testing.T) {
			r := reconciletest.NewRig(t)
			i := over(r)
			first := startChild(r, point)
			i.Open(10 * time.Second)
			l := startLoadOver(t, seed, 8, 5, i, first, r)
			select {
			case <-first.ended:
			case <-time.After(10*time.Second + reconciletest.Busy):
				t.Fatal("the reconciler was not killed")
			}
			startChild(r, "")
			rate := l.Rate(time.Second)
			l.Stop()
			r.Check()
			got := l.Compare(r)
			t.Logf("FIGURES killed %q: %.0f calls/s, %+v", point, rate, got)
			if got.Missing+got.Oversold+got.DeliveriesMissing > 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// startLoadOver starts load while the reconciler may die at any moment. If the stock is not counted
// in soon, it starts another one.
func startLoadOver(t *testing.T, seed uint64, callers, skus int, i *reconciletest.Instance, _ *child, r *reconciletest.Rig) *reconciletest.Load {
	t.Helper()
	done := make(chan *reconciletest.Load, 1)
	go func() { done <- reconciletest.StartLoad(t, seed, callers, skus, i) }()
	for {
		select {
		case l := <-done:
			return l
		case <-time.After(2 * time.Second):
			startChild(r, "")
		}
	}
}

// TestKill_AtRandom kills reconcilers again and again under load, at any moment.
func TestKill_AtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("processes under load, several seconds")
	}
	seed := reconciletest.SeedOf(t)
	random := rand.New(rand.NewPCG(seed, 0))
	r := reconciletest.NewRig(t)
	i := over(r)
	running := []*child{startChild(r, ""), startChild(r, "")}
	i.Open(10 * time.Second)
	l := reconciletest.StartLoad(t, seed, 16, 20, i)
	kills, before, began := reconciletest.AtFull(200, 10), l.Calls.Load(), time.Now()
	for range kills {
		<-time.After(time.Duration(50+random.IntN(400)) * time.Millisecond)
		l.Answered(r, 100)
		n := random.IntN(len(running))
		running[n].kill()
		running[n] = startChild(r, "")
	}
	rate := float64(l.Calls.Load()-before) / time.Since(began).Seconds()
	l.UntilSold(r, 100)
	l.Stop()
	r.Check()
	got := l.Compare(r)
	t.Logf("FIGURES %d kills: %.0f calls/s, %+v", kills, rate, got)
	if got.Missing+got.Oversold+got.DeliveriesMissing > 0 {
		t.Errorf("%+v", got)
	}
}

// TestKill_Paused runs three reconcilers and pauses one at a time with SIGSTOP. No event may be
// left out or applied twice, and the throughput must hold.
func TestKill_Paused(t *testing.T) {
	if testing.Short() {
		t.Skip("processes under load, stopped for several seconds")
	}
	seed := reconciletest.SeedOf(t)
	r := reconciletest.NewRig(t)
	i := over(r)
	three := []*child{startChild(r, ""), startChild(r, ""), startChild(r, "")}
	i.Open(10 * time.Second)
	l := reconciletest.StartLoad(t, seed, 16, 20, i)
	calm := l.Rate(2 * time.Second)
	before, began := l.Calls.Load(), time.Now()
	for n := range reconciletest.AtFull(9, 3) {
		three[n%3].signal(syscall.SIGSTOP)
		before := l.Calls.Load()
		<-time.After(4 * time.Second)
		l.Answered(r, max(0, before+2000-l.Calls.Load())) // as many as at 500 a second
		three[n%3].signal(syscall.SIGCONT)
	}
	rate := float64(l.Calls.Load()-before) / time.Since(began).Seconds()
	l.Stop()
	r.Check()
	got := l.Compare(r)
	t.Logf("FIGURES one of three stopped: %.0f calls/s before, %.0f while one is stopped, %+v", calm, rate, got)
	if got.Missing+got.Oversold+got.DeliveriesMissing > 0 {
		t.Errorf("%+v, %.0f calls/s", got, rate)
	}
}

// TestUnsafe sends the usual design through power losses: the script decrements, confirm is
// answered from Redis, and a Redis that comes back is sold from. It must sell units twice, which
// shows that these tests can fail.
func TestUnsafe(t *testing.T) {
	if os.Getenv("HOLDFAST_UNSAFE") == "" {
		t.Skip("HOLDFAST_UNSAFE is not set: this shows what the usual design loses")
	}
	seed := reconciletest.SeedOf(t)
	oversold, units := 0, 0
	for round := range 3 {
		s := newStage(t)
		i := s.unguarded()
		l := reconciletest.StartLoad(t, seed+uint64(round), 16, 20, i)
		for range 3 {
			<-time.After(1500 * time.Millisecond)
			s.powerLoss()
		}
		<-time.After(time.Second)
		l.Stop()
		sold := map[string]int64{}
		there := map[string]int64{}
		for _, s := range l.Sold {
			sold[string(s.SKU)] += s.Units
		}
		for n := range 20 {
			there[string(reconciletest.SKUOf(n))] = 400
		}
		for _, sku := range l.Arrived {
			there[sku] += 20
		}
		for sku, n := range sold {
			units += int(n)
			oversold += int(max(0, n-there[sku]))
		}
	}
	t.Logf("FIGURES the usual design: %d units sold, %d of them did not exist", units, oversold)
	if oversold == 0 {
		t.Error("nothing was sold twice: this load cannot tell a safe design from an unsafe one")
	}
}
