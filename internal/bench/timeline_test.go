package bench

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestTimeline checks that an answer counts in the slice in which it came, whenever it was due.
func TestTimeline(t *testing.T) {
	began := time.Now()
	kept := newTimeline(began, 500*time.Millisecond)
	answers := func(n int, at, took time.Duration) {
		for range n {
			kept.answer(began.Add(at), took)
		}
	}
	answers(990, 0, time.Millisecond)
	answers(10, 99*time.Millisecond, 4*time.Millisecond)
	answers(999, 100*time.Millisecond, 250*time.Millisecond) // one too few; they were due before the round
	answers(2000, 399*time.Millisecond, 20*time.Millisecond) // and none in the slice before
	answers(1000, 500*time.Millisecond, time.Second)         // the round is over
	want := []Slice{
		{At: 0, AnsweredRate: 10_000, P50: 1, P99: 1, P999: 4},
		{At: 100, AnsweredRate: 9_990, P50: 250, P99: 250},
		{At: 200},
		{At: 300, AnsweredRate: 20_000, P50: 20, P99: 20, P999: 20},
	}
	got := kept.slices()
	if len(got) != len(want) {
		t.Fatalf("%d slices, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		for _, pair := range [][2]float64{
			{got[i].At, want[i].At}, {got[i].AnsweredRate, want[i].AnsweredRate},
			{got[i].P50, want[i].P50}, {got[i].P99, want[i].P99}, {got[i].P999, want[i].P999},
		} {
			if math.Abs(pair[0]-pair[1]) > 0.01*pair[1] {
				t.Errorf("got %+v, want %+v", got[i], want[i])
				break
			}
		}
	}
}

// TestSliceLength checks that slices are equal, not too many and not too short.
func TestSliceLength(t *testing.T) {
	for duration, want := range map[time.Duration]struct {
		n     int
		slice time.Duration
	}{
		10 * time.Millisecond:  {1, 10 * time.Millisecond},
		250 * time.Millisecond: {2, 125 * time.Millisecond},
		2 * time.Second:        {20, 100 * time.Millisecond},
		time.Minute:            {slicesMax, time.Second},
		time.Hour:              {slicesMax, time.Minute},
	} {
		if got := newTimeline(time.Now(), duration); len(got.latency) != want.n || got.slice != want.slice {
			t.Errorf("%v: %d slices of %v, want %+v", duration, len(got.latency), got.slice, want)
		}
	}
}

// TestTimeline_WarmUp checks that only the measured calls of a round have a timeline.
func TestTimeline_WarmUp(t *testing.T) {
	for _, sliced := range []bool{false, true} {
		var counted tally
		if sliced {
			counted.timeline = newTimeline(time.Now(), time.Minute)
		}
		counted.answer(refused, time.Millisecond)
		counted.timeline.answer(time.Now(), time.Millisecond)
		if round := (&workload{copies: 1}).summarize(&counted, time.Second); (len(round.OverTime) == 1) != sliced || (round.Slice > 0) != sliced {
			t.Errorf("sliced %v: %+v", sliced, round)
		}
	}
	p := &play{env: &env{}, contender: &contender{}}
	if !p.load().sliced {
		t.Error("a round has no timeline")
	}
}

// grown returns a round of 12 s whose p99.9 rises by 1 ms per slice, and once by more.
func grown(by float64) *Round {
	r := &Round{Figures: Figures[float64]{P999: by}, Slice: 1000}
	for i := range 12 {
		s := Slice{At: float64(i) * 1000, AnsweredRate: 20_000, P50: 1, P99: 2, P999: 10 + float64(i)}
		if i >= 7 {
			s.P999 += by
		}
		r.OverTime = append(r.OverTime, s)
	}
	return r
}

// TestStep checks the largest step of p99.9 in the median round.
func TestStep(t *testing.T) {
	falls := grown(-8)
	gap := grown(6)
	gap.OverTime[7].P999 = 0 // too few answers: its neighbours are not compared with each other
	short := grown(6)
	short.OverTime = short.OverTime[3:]
	for _, test := range []struct {
		rounds []*Round
		want   string
	}{
		{[]*Round{grown(90), grown(6), grown(1)}, "x: p99.9 of each 1.00 s: 10.0 to 27.0 ms, largest step +7.00 ms at 7.00 s"},
		{[]*Round{falls}, "x: p99.9 of each 1.00 s: 9.00 to 16.0 ms, largest step -7.00 ms at 7.00 s"},
		{[]*Round{gap}, "x: p99.9 of each 1.00 s: 10.0 to 27.0 ms, largest step +1.00 ms at 1.00 s"},
		{[]*Round{short}, ""},
		{nil, ""},
	} {
		c := &Comparison{Rows: []*Row{{Name: "x", Rounds: test.rounds}}}
		if got := strings.Join(c.StepLines(), "\n"); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// TestTimeline_Printed checks that text, HTML and JSON have the slices of the median round.
func TestTimeline_Printed(t *testing.T) {
	row := &Row{Contender: keyLibrary, Name: "Holdfast, library", Rounds: []*Round{grown(90), grown(6), grown(1)}}
	slow := &Row{Contender: keyUpdate, Name: "update", Rounds: []*Round{{Slice: 1000, OverTime: []Slice{{P50: 1, P99: 1}}}}}
	report := &Report{Comparisons: []Comparison{{Scenario: "hot", LatenciesOf: "accepted", Rows: []*Row{row, slow}}}}
	var text, page strings.Builder
	report.WriteText(&text)
	if err := report.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	const step = "largest step +7.00 ms at 7.00 s"
	for _, printed := range []string{text.String(), strings.ReplaceAll(page.String(), "&#43;", "+")} {
		if strings.Count(printed, step) != 1 {
			t.Errorf("%q is not once in\n%s", step, printed)
		}
	}
	// From 10 to 100 ms, of 12 s: the first point is at the bottom, half a second from the left.
	if first := `<polyline class="library" points="87.9,266.0 `; !strings.Contains(page.String(), first) {
		t.Errorf("%q is not in\n%s", first, page.String())
	}
	if n := strings.Count(page.String(), "<polyline"); n != 1 || !strings.Contains(page.String(), "by seconds since the start of the round</h3>") {
		t.Errorf("%d curves in\n%s", n, page.String())
	}

	document, err := json.Marshal(report)
	if err != nil || !strings.Contains(string(document), `"over_time":[{"at_ms":0,"answered_per_second":20000,"p50_ms":1,"p99_ms":2,"p999_ms":10}`) {
		t.Errorf("%v in %s", err, document)
	}
	var read Report
	if err := json.Unmarshal(document, &read); err != nil || !reflect.DeepEqual(read.Comparisons[0].Rows[0].Rounds, row.Rounds) {
		t.Errorf("read again: %v, %+v", err, read)
	}
}

func TestTickStep(t *testing.T) {
	for length, want := range map[float64]float64{0.02: 0.002, 2: 0.2, 12: 2, 60: 10, 3600: 500} {
		if got := tickStep(length); math.Abs(got-want) > 1e-9 {
			t.Errorf("of %v: %v, want %v", length, got, want)
		}
	}
}
