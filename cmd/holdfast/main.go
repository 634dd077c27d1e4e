// Command holdfast keeps stock from being sold twice: it serves the API, and is the tool that
// operators call it with.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"unicode/utf8"

	"github.com/holdfast/holdfast/internal/bench"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/demo"
	"github.com/holdfast/holdfast/internal/stockcsv"
	"github.com/holdfast/holdfast/reconcile/audit"
)

// The exit codes.
const (
	exitDone    = 0
	exitRefused = 1 // the server said no, or faults were found
	exitFailed  = 2 // the command line is wrong, or it could not run
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends a program that is slow to stop
	m := &Main{
		Args: os.Args[1:], Env: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	os.Exit(m.Run(ctx))
}

// Main is the whole program, so that a test can start it.
type Main struct {
	Args   []string // without the program's name
	Env    []string // NAME=value each
	Stdin  io.Reader
	Stdout io.Writer // data, and nothing else
	Stderr io.Writer // logs, errors and progress

	// Listening is told the address once `serve` takes calls; nil tells nobody.
	Listening func(net.Addr)
}

// Run runs the command of Args until it is done, or until ctx ends, and answers the exit code.
func (m *Main) Run(ctx context.Context) int {
	root := m.root()
	root.SetArgs(m.Args)
	root.SetIn(m.Stdin)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)
	err := readable(m.Args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		return exitDone
	}
	if isFaults(err) {
		fmt.Fprintln(m.Stderr, err) // as they are, so that an editor can jump to them
	} else {
		fmt.Fprintln(m.Stderr, "holdfast:", err)
	}
	return exitCode(err)
}

// readable refuses arguments that are not UTF-8: JSON would make other identifiers of them.
func readable(args []string) error {
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return fmt.Errorf("the argument %q is not UTF-8, as every identifier and file name here must be", arg)
		}
	}
	return nil
}

// isFaults says whether err lists what is wrong with a file.
func isFaults(err error) bool {
	var rows *stockcsv.FaultsError
	var directory *directoryError
	return errors.As(err, &rows) || errors.As(err, &directory)
}

func exitCode(err error) int {
	var problem *contract.Problem
	var failed *demo.FailedError
	var missing *bench.MissingError
	if isFaults(err) || errors.As(err, &failed) || errors.As(err, &missing) || errors.As(err, &problem) && problem.Refused() {
		return exitRefused
	}
	for _, refused := range []error{errUnwell, errDrift, errLeft, audit.ErrTooMuch, audit.ErrPlanInvalid, audit.ErrPlanForeign} {
		if errors.Is(err, refused) {
			return exitRefused
		}
	}
	return exitFailed
}
