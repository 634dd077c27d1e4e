package config

import (
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/cache"
)

// duration reads a duration with its unit. A bare number, 0 included, is refused: nobody can tell
// whether it was meant as seconds or as milliseconds.
func duration(raw any) (time.Duration, error) {
	text, ok := raw.(string)
	if !ok {
		return 0, fmt.Errorf("must be a duration with its unit, %s", durationExample)
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("must carry its unit, %s", durationExample)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("must be a duration with its unit, %s", durationExample)
	}
	return d, nil
}

// setSeconds sets a deadline: whole seconds, as callers ask for them.
func setSeconds(to *time.Duration, raw any) error {
	d, err := duration(raw)
	if err != nil {
		return err
	}
	if d < time.Second || d%time.Second != 0 {
		return fmt.Errorf("must be whole seconds, 1s or more")
	}
	*to = d
	return nil
}

func setRetention(to *time.Duration, raw any) error {
	d, err := duration(raw)
	if err != nil {
		return err
	}
	if d < retentionMin {
		return fmt.Errorf("must be %s or more: ids that callers still repeat would be forgotten",
			plain(retentionMin))
	}
	*to = d
	return nil
}

func setWait(to *time.Duration, raw any) error {
	d, err := duration(raw)
	if err != nil {
		return err
	}
	if d < time.Millisecond || d > confirmWaitMax {
		return fmt.Errorf("must be between 1ms and %s", plain(confirmWaitMax))
	}
	*to = d
	return nil
}

func setSoldOutCache(to *time.Duration, raw any) error {
	d, err := duration(raw)
	if err != nil {
		return err
	}
	if d != 0 && (d < cache.SoldOutCacheMin || d > cache.SoldOutCacheMax) {
		return fmt.Errorf("must be 0s, or between %s and %s", plain(cache.SoldOutCacheMin), plain(cache.SoldOutCacheMax))
	}
	*to = d
	return nil
}

// plain writes a duration as people do: 10m, not 10m0s.
func plain(d time.Duration) string {
	switch {
	case d != 0 && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d != 0 && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}
