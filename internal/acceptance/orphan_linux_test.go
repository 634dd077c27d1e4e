package acceptance

import "syscall"

// noOrphan has the kernel end a program whose test ends without its cleanup: by a panic, say.
func noOrphan() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
