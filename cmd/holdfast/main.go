// Command holdfast serves the Holdfast API. It is also the tool with which operators set up,
// check and repair a deployment.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
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
	exitRefused = 1 // the server refused, or faults were found
	exitFailed  = 2 // wrong usage, or the command could not run
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills a program that is slow to stop
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

	// Listening, if not nil, is called with the address when `serve` accepts connections.
	Listening func(net.Addr)
}

// Run runs the command in Args until it is done or ctx ends, and returns the exit code.
func (m *Main) Run(ctx context.Context) int {
	root := m.root()
	root.SetArgs(m.Args)
	root.SetIn(m.Stdin)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)
	err := checkUTF8(m.Args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	switch {
	case err == nil:
		return exitDone
	case isFaults(err):
		fmt.Fprintln(m.Stderr, err) // without a prefix, so that an editor can jump to each fault
	default:
		fmt.Fprintln(m.Stderr, "holdfast:", err)
	}
	return exitCode(err)
}

// checkUTF8 refuses an argument that is not UTF-8, because JSON would change it.
func checkUTF8(args []string) error {
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return fmt.Errorf("the argument %q is not UTF-8: identifiers and file names must be", arg)
		}
	}
	return nil
}

// isFaults reports whether err lists the faults of a file.
func isFaults(err error) bool {
	_, rows := errors.AsType[*stockcsv.FaultsError](err)
	_, directory := errors.AsType[*directoryError](err)
	return rows || directory
}

// refusals are the errors that exit with exitRefused and carry no data.
var refusals = []error{
	errUnsafe, errDrift, errLeft,
	audit.ErrTooMuch, audit.ErrPlanInvalid, audit.ErrPlanForeign,
}

func exitCode(err error) int {
	problem, ok := errors.AsType[*contract.Problem](err)
	refused := ok && problem.Refused()
	_, failed := errors.AsType[*demo.FailedError](err)
	_, missing := errors.AsType[*bench.MissingError](err)
	if isFaults(err) || refused || failed || missing ||
		slices.ContainsFunc(refusals, func(refusal error) bool { return errors.Is(err, refusal) }) {
		return exitRefused
	}
	return exitFailed
}
