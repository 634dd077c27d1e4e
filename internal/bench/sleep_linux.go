package bench

import (
	"syscall"
	"time"
)

// preciseSleep sleeps with a precision of about 0.1 ms. It may wake early. time.Sleep is precise to
// 1 ms on an idle machine, because the runtime waits for timers with epoll, which counts in
// milliseconds: every call would be that late.
func preciseSleep(d time.Duration) {
	span := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&span, nil) // the caller checks the time and sleeps again
}
