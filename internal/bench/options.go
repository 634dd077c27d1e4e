package bench

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Options of a run. Each field must be set, but for those that say what their zero value is.
type Options struct {
	Scenarios   []string      // keys of Scenarios
	Contenders  []string      // keys of Contenders
	Callers     int           // how many call at once
	Connections int           // to Postgres, of the contenders that sell there
	Rounds      int           // of each contender in each scenario
	Duration    time.Duration // for which a round sends calls
	Rate        float64       // calls that are due a second; 0: as many as are answered
	Load        float64       // percent of what each contender answers without a rate, which is measured first; 0: Rate
	Seed        uint64        // what is drawn from it: the orders, and who is first
	Sizes       []Size        // of the scenario scale
	SoldOut     time.Duration // cache.Options.SoldOutCache of Holdfast
	Reconcile   bool          // a reconciler runs beside every scenario, not only where sales are durable

	Version string                             // of this program; for the report
	Watch   func(done, total int, what string) // is told before each round; nil tells nobody
	Logger  *slog.Logger                       // default slog.Default()
}

// Size is one size of the scenario scale.
type Size struct {
	Levels int `json:"levels"` // for sale
	Held   int `json:"held"`   // reservations that are held beside
}

// The bounds of Options.
const (
	callersMax     = 10_000
	connectionsMax = 1_000
	roundsMax      = 100
	durationMin    = 10 * time.Millisecond
	durationMax    = time.Hour
	rateMax        = 10_000_000 // calls a second
	loadMax        = 1_000      // percent
	sizeMax        = 10_000_000
)

// Check lists everything that is wrong.
func (o *Options) Check() error {
	var all []error
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	between := func(name string, n, least, most int) {
		if n < least || n > most {
			bad("%s is %d, must be from %d to %d", name, n, least, most)
		}
	}
	between("callers", o.Callers, 1, callersMax)
	between("connections", o.Connections, 1, connectionsMax)
	between("rounds", o.Rounds, 1, roundsMax)
	if o.Duration < durationMin || o.Duration > durationMax {
		bad("duration is %s, must be from %s to %s", o.Duration, durationMin, durationMax)
	}
	if !(o.Rate >= 0 && o.Rate <= rateMax) { // which is also false for NaN
		bad("rate is %v, must be from 0 to %d calls a second", o.Rate, rateMax)
	}
	if !(o.Load >= 0 && o.Load <= loadMax) {
		bad("load is %v, must be from 0 to %d percent", o.Load, loadMax)
	}
	if o.Load > 0 && o.Rate > 0 {
		bad("rate and load both say how many calls are due: set one")
	}
	for _, s := range o.Sizes {
		between("levels of a size", s.Levels, 1, sizeMax)
		between("held of a size", s.Held, 0, sizeMax)
	}
	all = append(all, known("scenario", o.Scenarios, ScenarioKeys()), known("contender", o.Contenders, ContenderKeys()))
	return errors.Join(all...)
}

// known refuses keys that are not among those there are, and none.
func known(what string, keys, there []string) error {
	if len(keys) == 0 {
		return fmt.Errorf("no %s is named; there are %s", what, strings.Join(there, ", "))
	}
	for _, key := range keys {
		if !slices.Contains(there, key) {
			return fmt.Errorf("there is no %s %q; there are %s", what, key, strings.Join(there, ", "))
		}
	}
	return nil
}
