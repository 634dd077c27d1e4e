//go:build !linux

package bench

import "time"

func processCPU() time.Duration { return 0 } // not measured here

func preciseSleep(d time.Duration) { time.Sleep(d) }
