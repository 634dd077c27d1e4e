//go:build !linux

package acceptance

import "syscall"

func noOrphan() *syscall.SysProcAttr { return nil }
