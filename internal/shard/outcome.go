package shard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/wire"
)

// ran says whether a script ran, as far as its error tells.
type ran int

const (
	ranYes     ran = iota // it answered
	ranNo                 // it did not run: send the same ids again
	ranUnknown            // it may have run: send the same ids again, which makes that safe
	ranPartly             // it may have stopped half-way, and what it wrote stays: never send it again
	ranFenced             // the server does not know the script: check which server it is
)

// refusals lists the error codes that Redis answers before a script's first write.
var refusals = []string{
	"READONLY", "NOREPLICAS", "MISCONF", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "ASK",
	"TRYAGAIN", "CROSSSLOT", "BUSY", "OOM", "NOPERM", "NOAUTH", "WRONGPASS",
}

// outcomeOf says for each error whether the script ran. Nothing else decides that.
func outcomeOf(err error) ran {
	var dial *net.OpError
	switch {
	case err == nil:
		return ranYes
	case redis.HasErrorPrefix(err, "NOSCRIPT"):
		return ranFenced
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted),
		errors.Is(err, redis.ErrClosed):
		return ranNo
	case errors.As(err, &dial) && dial.Op == "dial":
		return ranNo
	case refusalCode(err) != "":
		return ranNo
	case isReply(err):
		return ranPartly
	default: // time-outs, cut connections, an ended context
		return ranUnknown
	}
}

// refusalCode returns the code with which Redis refused a command before it ran, or "".
func refusalCode(err error) string {
	if !isReply(err) {
		return ""
	}
	for _, code := range refusals {
		if redis.HasErrorPrefix(err, code) {
			return code
		}
	}
	return ""
}

// elsewhere lists the refusals after which another node may be the primary. ASK is none: half of the
// keys are on their way.
var elsewhere = []string{"MOVED", "TRYAGAIN", "CROSSSLOT", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY"}

// lookAgain makes a cluster client ask which nodes are the primaries, if err says that another one may
// be. Without it, the client asks only once in a while (redis/go-redis#3979). It costs the call
// nothing, and the nodes at most five questions a second.
func lookAgain(client redis.UniversalClient, err error) {
	c, ok := client.(*redis.ClusterClient)
	if !ok || err == nil {
		return
	}
	switch code := refusalCode(err); outcomeOf(err) {
	case ranYes, ranPartly, ranFenced:
	case ranNo, ranUnknown:
		if code == "" || slices.Contains(elsewhere, code) {
			c.ReloadState(context.Background())
		}
	}
}

// isReply reports whether Redis itself answered err.
func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// unavailable wraps an error of the client in ErrRefused if Redis refused the command, else in
// ErrUnavailable.
func unavailable(err error) error {
	switch {
	case err == nil:
		return nil
	case refusalCode(err) != "":
		return fmt.Errorf("%w: %w", wire.ErrRefused, err)
	}
	return fmt.Errorf("%w: %w", wire.ErrUnavailable, err)
}
