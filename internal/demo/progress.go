package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast/holdfast/location"
)

// Moment is how a sale stands. Left, Held and Sold are what the Store says; the rest is what the
// buyers were told.
type Moment struct {
	Units     int64 // at start; all of these are units
	Left      int64
	Held      int64
	Sold      int64
	GivenBack int64 // released or lapsed, and for sale again
	Refused   int64 // requests
	Requests  int64
	Rate      float64 // requests a second, of late
}

const watchEvery = 100 * time.Millisecond

// watch tells Watch how the sale stands until ctx ends.
func (s *sale) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	before, since := int64(0), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		granted := s.tally.granted.Load()
		levels, err := s.levels(ctx)
		if err != nil {
			continue // the buyers see it too, and say so
		}
		m := Moment{
			Units:   s.stock.where(func(location.SKU) bool { return true }),
			Refused: s.tally.refused.all.Load(), Requests: s.tally.requests.Load(),
		}
		for _, level := range levels {
			m.Left += level.Available
			m.Held += level.Held
		}
		m.Sold = m.Units - m.Left - m.Held
		m.GivenBack = max(0, granted-m.Held-m.Sold) // the two were not read at one moment
		m.Rate = float64(m.Requests-before) / time.Since(since).Seconds()
		before, since = m.Requests, time.Now()
		s.Watch(m)
	}
}

// Line shows a sale on one line of a terminal that is so many columns wide. It is no library's bar,
// because its parts grow and shrink. Call end before anything else is written there.
func Line(terminal io.Writer, columns int) (watch func(Moment), end func()) {
	shown := 0
	show := func(text string) {
		text = fmt.Sprintf("%.*s", max(0, columns-1), text)
		width := utf8.RuneCountInString(text)
		fmt.Fprintf(terminal, "\r%s%*s", text, max(0, shown-width), "") // what was longer is wiped out
		shown = width
	}
	return func(m Moment) { show(m.String()) }, func() {
		show("")
		fmt.Fprint(terminal, "\r")
	}
}

// barWidth is how many columns stand for all units.
const barWidth = 10

// String is the moment in less than 80 columns: a bar of sold, held and left units, and the numbers.
func (m Moment) String() string {
	part := func(n int64) int { return int((n*barWidth + m.Units/2) / max(1, m.Units)) }
	sold := part(m.Sold)
	held := part(m.Sold+m.Held) - sold
	bar := strings.Repeat("█", sold) + strings.Repeat("▒", held) + strings.Repeat("░", barWidth-sold-held)
	return fmt.Sprintf("%s %5s sold %5s held %5s left %5s back %6s refused %6s/s", bar, grouped(m.Sold),
		grouped(m.Held), grouped(m.Left), grouped(m.GivenBack), grouped(m.Refused), grouped(int64(m.Rate)))
}

// lineEvery is how often Lines logs.
const lineEvery = time.Second

// Lines logs how a sale goes, once a second.
func Lines(logger *slog.Logger) (watch func(Moment)) {
	next := time.Now().Add(lineEvery)
	return func(m Moment) {
		if time.Now().Before(next) {
			return
		}
		next = next.Add(lineEvery)
		logger.Info("selling", "sold", m.Sold, "held", m.Held, "left", m.Left, "given_back", m.GivenBack,
			"refused", m.Refused, "requests", m.Requests)
	}
}
