package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestPercentiles compares the histogram with sorted samples.
func TestPercentiles(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var one, two tally // of two callers
	samples := make([]float64, 20_000)
	for i := range samples {
		took := time.Duration(math.Exp(random.Float64()*12)) * time.Microsecond // 1 µs to 160 ms
		samples[i] = float64(took) / float64(time.Millisecond)
		[]*tally{&one, &two}[i%2].answer(accepted, took)
	}
	slices.Sort(samples)
	one.add(&two)
	h := one.latencies(accepted)
	for _, p := range []float64{1, 50, 90, 99, 99.9, 100} {
		want := samples[max(0, int(math.Ceil(p/100*float64(len(samples))))-1)]
		if got := percentile(h, p); math.Abs(got-want) > 0.01*want+0.001 {
			t.Errorf("p%v is %v ms, want %v", p, got, want)
		}
	}
	if one.count[accepted] != int64(len(samples)) || h.TotalCount() != int64(len(samples)) {
		t.Errorf("%d counted, %d timed", one.count[accepted], h.TotalCount())
	}
}

// TestUnanswered checks that calls without an answer count in the latencies of every outcome.
func TestUnanswered(t *testing.T) {
	var all tally
	for range 98 {
		all.answer(refused, time.Millisecond)
	}
	all.giveUp(3 * time.Second)
	all.fail(t.Context().Err(), 4*time.Second)
	if got := percentile(all.latencies(refused), 50); math.Abs(got-1) > 0.01 {
		t.Errorf("p50 is %v ms", got)
	}
	if got := percentile(all.latencies(refused), 99); math.Abs(got-3000) > 30 {
		t.Errorf("p99 is %v ms: it leaves out unanswered calls", got)
	}
	if got := all.latencies(accepted).TotalCount(); got != 2 {
		t.Errorf("%d latencies of what was accepted, though nothing was", got)
	}
	if all.answered() != 98 {
		t.Errorf("%d answered", all.answered())
	}
}

func TestLatencyOutOfRange(t *testing.T) {
	var all tally
	all.answer(accepted, -time.Second)
	all.answer(accepted, 24*time.Hour)
	if got := all.latencies(accepted).TotalCount(); got != 2 {
		t.Errorf("%d of 2 latencies are kept", got)
	}
}

func TestSpread(t *testing.T) {
	rates := func(values ...float64) (list []*Round) {
		for _, v := range values {
			list = append(list, &Round{Figures: Figures[float64]{AcceptedRate: v}})
		}
		return list
	}
	for _, test := range []struct {
		rounds []*Round
		want   Spread
	}{
		{nil, Spread{}},
		{rates(3), Spread{3, 3, 3}},
		{rates(9, 1, 2), Spread{2, 1, 9}},
		{rates(4, 1, 2, 9), Spread{3, 1, 9}},
	} {
		if got := spread(test.rounds, func(r *Round) float64 { return r.AcceptedRate }); got != test.want {
			t.Errorf("got %+v, want %+v", got, test.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.6: "1,234,568", -1000: "-1,000", -12: "-12"} {
		if got := whole(n); got != want {
			t.Errorf("whole(%v) is %s, want %s", n, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0", 0.123: "0.12", 12.34: "12.3", 123.4: "123", 12345: "12,345"} {
		if got := digits(n); got != want {
			t.Errorf("digits(%v) is %s, want %s", n, got, want)
		}
	}
}
