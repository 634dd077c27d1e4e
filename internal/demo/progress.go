package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast/holdfast/internal/texttable"
	"github.com/holdfast/holdfast/location"
)

// Moment is the state of a sale in progress. Left, Held and Sold are from the store, the rest is
// from the answers to buyers.
type Moment struct {
	Units     int64 // at the start; so far all are units
	Left      int64
	Held      int64
	Sold      int64
	GivenBack int64 // released or expired, and for sale again
	Refused   int64 // requests
	Requests  int64
	Rate      float64 // requests per second since the last moment
}

const watchEvery = 100 * time.Millisecond

// watch reports to Watch until ctx ends.
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
			continue // the buyers notice it too, and report it
		}
		m := Moment{
			Units:   s.stock.units(func(location.SKU) bool { return true }),
			Refused: s.tally.refused.all.Load(), Requests: s.tally.requests.Load(),
		}
		for _, level := range levels {
			m.Left += level.Available
			m.Held += level.Held
		}
		m.Sold = m.Units - m.Left - m.Held
		m.GivenBack = max(0, granted-m.Held-m.Sold) // the two are not from the same moment
		m.Rate = float64(m.Requests-before) / time.Since(since).Seconds()
		before, since = m.Requests, time.Now()
		s.Watch(m)
	}
}

// Line shows the progress of a sale on one line of a terminal of the given width. It is not a
// progress bar of a library, because its parts grow and shrink. Call end before you write anything
// else there.
func Line(terminal io.Writer, columns int) (watch func(Moment), end func()) {
	shown := 0
	show := func(text string) {
		text = fmt.Sprintf("%.*s", max(0, columns-1), text)
		width := utf8.RuneCountInString(text)
		fmt.Fprintf(terminal, "\r%s%*s", text, max(0, shown-width), "") // erase the rest of a longer text
		shown = width
	}
	return func(m Moment) { show(m.String()) }, func() {
		show("")
		fmt.Fprint(terminal, "\r")
	}
}

// barWidth is the width of the bar for all units, in columns.
const barWidth = 10

// String formats the moment in less than 80 columns: a bar of sold, held and left units, and the
// numbers.
func (m Moment) String() string {
	part := func(n int64) int { return int((n*barWidth + m.Units/2) / max(1, m.Units)) }
	sold := part(m.Sold)
	held := part(m.Sold+m.Held) - sold
	bar := strings.Repeat("█", sold) + strings.Repeat("▒", held) + strings.Repeat("░", barWidth-sold-held)
	return fmt.Sprintf("%s %5s sold %5s held %5s left %5s back %6s refused %6s/s", bar, texttable.Grouped(m.Sold),
		texttable.Grouped(m.Held), texttable.Grouped(m.Left), texttable.Grouped(m.GivenBack), texttable.Grouped(m.Refused), texttable.Grouped(int64(m.Rate)))
}

// lineEvery is the interval at which Lines logs.
const lineEvery = time.Second

// Lines logs the progress of a sale once per second.
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
