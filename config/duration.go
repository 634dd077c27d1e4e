package config

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// duration is the range of durations that a setting allows.
type duration struct {
	min, max time.Duration
	unit     time.Duration // the value must be a multiple of it; 0 allows any value
	zero     bool          // 0s is allowed too, and turns the setting off
	message  string        // what a refused value must be
}

// The durations that can be set.
var (
	ttl = duration{min: time.Second, max: forever, unit: time.Second, message: "must be whole seconds, 1s or more"}

	retention = duration{min: time.Minute, max: forever,
		message: "must be 1m or more, so that a repeated call finds its answer"}

	// The maximum is less than a call and a shutdown may take; see internal/api.
	confirmWait = duration{min: time.Millisecond, max: 15 * time.Second, message: "must be between 1ms and 15s"}

	soldOutCache = duration{min: cache.SoldOutCacheMin, max: cache.SoldOutCacheMax, zero: true,
		message: fmt.Sprintf("must be 0s, or between %s and %s", cache.SoldOutCacheMin, cache.SoldOutCacheMax)}
)

const forever = time.Duration(1<<63 - 1)

// set reads a duration with its unit into to. It refuses a bare number, even 0: a number could mean
// seconds or milliseconds.
func (d duration) set(to *time.Duration, raw any) error {
	text, _ := raw.(string)
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return errors.New("must have a unit, such as 10m, 90s or 24h")
	}
	value, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("must be a duration with a unit, such as 10m, 90s or 24h")
	case value == 0 && d.zero:
	case value < d.min, value > d.max, d.unit != 0 && value%d.unit != 0:
		return errors.New(d.message)
	}
	*to = value
	return nil
}

// plain formats a duration without zero parts: 10m, not 10m0s.
func plain(d time.Duration) string {
	switch {
	case d != 0 && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d != 0 && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}
