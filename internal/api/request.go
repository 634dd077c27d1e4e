package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/keys"
)

// requestIDHeader has the id of a request, in the request and in its answer.
const requestIDHeader = "X-Request-Id"

// validRequestID is an id of a request that is kept as the caller sent it.
var validRequestID = regexp.MustCompile(`^[A-Za-z0-9._:/+=@-]{1,64}$`)

// requestIDOf returns the id that a request has, or a new one if it has none that can be kept.
func requestIDOf(r *http.Request) string {
	if sent := r.Header.Get(requestIDHeader); validRequestID.MatchString(sent) {
		return sent
	}
	return strings.ToLower(rand.Text())
}

// contextKey is the key of the origin in the context of a request.
type contextKey struct{}

// origin is where a request comes from.
type origin struct {
	caller    *keys.Caller // nil if the API asks for no keys
	requestID string
}

// originOf returns the origin of a request.
func originOf(ctx context.Context) origin {
	o, _ := ctx.Value(contextKey{}).(*origin)
	if o == nil {
		return origin{}
	}
	return *o
}

// callerOf returns the caller of a request, or nil if the API asks for no keys.
func callerOf(ctx context.Context) *keys.Caller { return originOf(ctx).caller }

// by returns who makes a change. actor and onBehalfOf are what the request says. A caller with a key is
// the actor, whatever the request says.
func by(ctx context.Context, actor, onBehalfOf string) cache.By {
	o := originOf(ctx)
	if o.caller != nil {
		actor, onBehalfOf = o.caller.Name, cmp.Or(onBehalfOf, actor)
	}
	return cache.By{Actor: actor, OnBehalfOf: onBehalfOf, RequestID: o.requestID}
}
