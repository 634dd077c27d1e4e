package bench

import (
	"syscall"
	"time"
)

// processCPU returns the processor time that this process has used, user and system.
func processCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// preciseSleep sleeps with a precision of about 0.1 ms. It may wake early. time.Sleep is precise to
// 1 ms on an idle machine, because the runtime waits for timers with epoll, which counts in
// milliseconds: every call would be that late.
func preciseSleep(d time.Duration) {
	span := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&span, nil) // the caller checks the time and sleeps again
}
