package bench

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Options are the settings of a run. A field is required unless its comment says what its zero
// value does.
type Options struct {
	Scenarios   []string      // keys of Scenarios
	Contenders  []string      // keys of Contenders
	Callers     int           // concurrent callers
	Connections int           // to Postgres, for the contenders that sell there
	Rounds      int           // of each contender in each scenario
	Duration    time.Duration // during which a round sends calls
	Rate        float64       // calls due per second; 0: a caller calls again when it has its answer
	Load        float64       // percent of the rate each contender reaches without a limit, which is measured first; 0: use Rate
	Seed        uint64        // decides the orders and the order of turns
	Sizes       []Size        // of the scenario scale
	SoldOut     time.Duration // cache.Options.SoldOutCache of Holdfast
	Reconcile   bool          // run a reconciler in every scenario, not only in confirm

	Version string                             // of this program, for the report
	Watch   func(done, total int, what string) // is called before each round; may be nil
	Logger  *slog.Logger                       // default slog.Default()
}

// Size is one size of the scenario scale.
type Size struct {
	Levels int `json:"levels"` // for sale
	Held   int `json:"held"`   // reservations that are held during the round
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

// Check lists all invalid options.
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
	if !(o.Rate >= 0 && o.Rate <= rateMax) { // also false for NaN
		bad("rate is %v, must be from 0 to %d calls a second", o.Rate, rateMax)
	}
	if !(o.Load >= 0 && o.Load <= loadMax) {
		bad("load is %v, must be from 0 to %d percent", o.Load, loadMax)
	}
	if o.Load > 0 && o.Rate > 0 {
		bad("rate and load both set how many calls are due: set only one")
	}
	for _, s := range o.Sizes {
		between("levels of a size", s.Levels, 1, sizeMax)
		between("held of a size", s.Held, 0, sizeMax)
	}
	all = append(all, knownKeys("scenario", o.Scenarios, Keys(Scenarios)), knownKeys("contender", o.Contenders, Keys(Contenders())))
	return errors.Join(all...)
}

// knownKeys checks that there is a key and that each is one of valid.
func knownKeys(kind string, keys, valid []string) error {
	if len(keys) == 0 {
		return fmt.Errorf("name at least one %s; there are %s", kind, strings.Join(valid, ", "))
	}
	for _, key := range keys {
		if !slices.Contains(valid, key) {
			return fmt.Errorf("there is no %s %q; there are %s", kind, key, strings.Join(valid, ", "))
		}
	}
	return nil
}
