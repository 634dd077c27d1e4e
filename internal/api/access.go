package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

// Route is a route of the API, and the role that it needs.
type Route struct {
	Method, Path string
	Role         keys.Role
}

// Routes returns every route, in the order of their registration.
func (a *API) Routes() []Route { return a.routes }

// The refusals of a caller with a key.
var (
	errRole     = errors.New("the key lacks a role")
	errChannel  = errors.New("the key is bound to other channels")
	errTooMany  = errors.New("too many requests of a key")
	errCrowding = errors.New("too many calls of a key at once")
)

// keyError refuses a caller without a key that counts. role is the one that the call needs.
type keyError struct {
	role keys.Role
	err  error
}

func (e *keyError) Error() string {
	return fmt.Sprintf("%v; this call needs the role %s", e.err, e.role)
}
func (e *keyError) Unwrap() error { return e.err }

// roleError refuses a key without the role of a route.
type roleError struct {
	name string
	role keys.Role
}

func (e *roleError) Error() string {
	return fmt.Sprintf("this call needs a key with the role %s; the key %s does not have it", e.role, e.name)
}

func (e *roleError) Is(target error) bool { return target == errRole }

// channelError refuses a key that is bound to channels.
type channelError struct{ channels []string }

func (e *channelError) Error() string {
	return "the key is bound to channels: send channel as one of " + strings.Join(e.channels, ", ")
}

func (e *channelError) Is(target error) bool { return target == errChannel }

// handle serves a route to callers with a role. Every route is registered by it.
func (a *API) handle(method, path string, role keys.Role, serve http.HandlerFunc) {
	a.routes = append(a.routes, Route{method, path, role})
	a.mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
		r, err := a.admit(w, r, role)
		if err != nil {
			a.refuse(w, r, err, "")
			return
		}
		serve(w, r)
	})
}

// admit returns the request with its origin. Errors, in order of precedence: those of keys.Ring.Check
// and keys.People.Check, errTooMany, errRole.
func (a *API) admit(w http.ResponseWriter, r *http.Request, role keys.Role) (*http.Request, error) {
	from := &origin{requestID: w.Header().Get(requestIDHeader)}
	r = r.WithContext(context.WithValue(r.Context(), contextKey{}, from))
	if a.options.Keys == nil || role == keys.Open {
		return r, nil
	}
	now := time.Now()
	c, err := a.identify(r, now)
	switch {
	case err != nil:
		return r, &keyError{role, err}
	case !c.Allow(now):
		return r, errTooMany
	case !c.May(role):
		return r, &roleError{c.Name, role}
	}
	from.caller = c
	return r, nil
}

// identify returns the program or the person who calls.
func (a *API) identify(r *http.Request, now time.Time) (*keys.Caller, error) {
	text := bearer(r.Header.Get("Authorization"))
	if a.options.People != nil && keys.IsToken(text) {
		return a.options.People.Check(r.Context(), text, now)
	}
	return a.options.Keys.Check(text, now)
}

// bearer returns the key in a header Authorization, or "" if there is none.
func bearer(header string) string {
	scheme, key, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// begin counts a call. It refuses one if too many are under way: of all callers, or of one key, which
// may have half of them. end ends a call that begin did not refuse.
func (a *API) begin(c *keys.Caller) error {
	most := int64(a.options.ConcurrentMax)
	if a.serving.Add(1) > most {
		a.serving.Add(-1)
		return errBusy
	}
	if c != nil && !c.Begin(max(most/2, 1)) {
		a.serving.Add(-1)
		return errCrowding
	}
	return nil
}

func (a *API) end(c *keys.Caller) {
	a.serving.Add(-1)
	if c != nil {
		c.End()
	}
}

// checkChannel refuses a channel to which the key of the caller is not bound.
func checkChannel(ctx context.Context, channel string) error {
	if c := callerOf(ctx); c != nil && !c.Sees(channel) {
		return &channelError{c.Channels}
	}
	return nil
}

// reservationPath begins the path of every call of one reservation.
const reservationPath = "/v1/reservations/{id}"

// checkReservation answers cache.ErrNotFound if the key of the caller is bound to channels, and the
// reservation of the call is of another one. Then it costs one read; the channel of a reservation never
// changes.
func (a *API) checkReservation(r *http.Request, c *keys.Caller) error {
	if c == nil || len(c.Channels) == 0 {
		return nil
	}
	found, err := a.store.Reservation(r.Context(), r.PathValue("id"))
	if err == nil && !c.Sees(string(found.Channel)) {
		return cache.ErrNotFound
	}
	return err
}

// channelsOf returns the channels to which the key of the caller is bound, nil for all.
func channelsOf(ctx context.Context) []location.Channel {
	c := callerOf(ctx)
	if c == nil || len(c.Channels) == 0 {
		return nil
	}
	return convert(c.Channels, func(name *string) location.Channel { return location.Channel(*name) })
}
