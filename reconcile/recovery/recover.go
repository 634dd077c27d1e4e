package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// Recoverer takes up lost reservations again. A reconciler must run, in this process or another.
type Recoverer struct {
	Client redis.UniversalClient // required; it must never send a command twice
	Ledger ledger.Ledger         // required
	Store  *cache.Store          // required; over the same two
	Prefix string                // of the keys

	DryRun   bool // change nothing
	Anywhere bool // if units are short, take them wherever the directory allows
}

// What became of a lost reservation.
const (
	Taken = "taken" // its units are held again, or its later steps are made again
	Over  = "over"  // there is nothing to do
	Left  = "left"  // it could not be taken up again
)

// Outcome is what became of a lost reservation, or of a dry run what would.
type Outcome struct {
	ID       string      `json:"id"`
	Order    string      `json:"order,omitempty"`
	Customer string      `json:"customer,omitempty"`
	State    cache.State `json:"state,omitempty"` // that it had
	Units    int64       `json:"units"`
	Outcome  string      `json:"outcome"` // Taken, Over or Left
	// Reason says why it was left or is over. Of one that was taken it says what a person must see to.
	Reason string `json:"reason,omitempty"`
}

// PerCall is a good number of reservations for one call of Recover.
const PerCall = 64

// holdTTL is how long the units of a sale are held until it is confirmed.
const holdTTL = 10 * time.Minute

// moreDueMax is how often overdue holds are expired for one reservation.
const moreDueMax = 100

// Recover takes up lost reservations again, each under its own id, at the same locations, and as far as
// it had come: confirmed if it was sold, with the units fulfilled that had left. It is safe to repeat,
// and to stop at any moment. An error says that it stopped; those before may have been taken.
func (r *Recoverer) Recover(ctx context.Context, list []Lost) ([]Outcome, error) {
	conn, err := shard.Open(ctx, r.Client, r.Prefix, 0)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.LoadKnown(ctx, r.Ledger); err != nil {
		return nil, err
	}
	plans, outcomes, err := r.plan(ctx, conn, list)
	if err != nil {
		return nil, err
	}
	if err := r.hold(ctx, conn, list, plans, outcomes); err != nil || r.DryRun {
		return outcomes, err
	}
	group, ctx := errgroup.WithContext(ctx) // at once, because each waits for the ledger
	for i := range list {
		if outcomes[i].Outcome == Taken {
			group.Go(func() error { return r.follow(ctx, &list[i], plans[i], &outcomes[i]) })
		}
	}
	return outcomes, group.Wait()
}

// planned is a plan for a reservation at a version.
type planned struct {
	plan
	version int64
	ttl     int64 // of its hold, ms
}

// plan plans all reservations. One round trip, and one to the ledger.
func (r *Recoverer) plan(ctx context.Context, conn *shard.Conn, list []Lost) ([]planned, []Outcome, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	now, at, err := r.records(ctx, conn, ids)
	if err != nil {
		return nil, nil, err
	}
	plans, outcomes := make([]planned, len(list)), make([]Outcome, len(list))
	for i := range list {
		l, o := &list[i], &outcomes[i]
		*o = Outcome{ID: l.ID, Order: l.Order, Customer: l.Customer, State: l.State, Outcome: Left}
		if l.Record == nil {
			o.Reason = "its record cannot be read"
			continue
		}
		o.Units = unitsOf(l.Record)
		known := now[l.ID]
		plans[i].plan, o.Reason = planOf(l, known, at)
		if plans[i].version = 1; known != nil {
			plans[i].version = known.Version
		}
		if plans[i].ttl = holdTTL.Milliseconds(); l.State == cache.StateHeld {
			plans[i].ttl = l.Record.Expires - at
		}
		switch {
		case o.Reason != "":
		case plans[i].steps():
			o.Outcome, o.Reason = Taken, strings.Join(plans[i].notes, "; ")
		default:
			o.Outcome, o.Reason = Over, strings.Join(append([]string{plans[i].over}, plans[i].notes...), "; ")
		}
	}
	return plans, outcomes, nil
}

// records reads reservations from Redis, and those that it lacks from the ledger. It also returns the
// time of Redis's clock, Unix ms.
func (r *Recoverer) records(ctx context.Context, conn *shard.Conn, ids []string) (map[string]*wire.Record, int64, error) {
	texts, at, err := conn.Records(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	now := make(map[string]*wire.Record, len(ids))
	var missing []string
	for _, id := range ids {
		text, there := texts[id]
		if !there {
			missing = append(missing, id)
			continue
		}
		record, err := wire.DecodeRecord(text)
		if err != nil {
			return nil, 0, fmt.Errorf("reservation %q: %w", id, err)
		}
		now[id] = &record
	}
	_, known, err := r.Ledger.RecordsAt(ctx, ledger.Identifiers(missing))
	for id, record := range known {
		now[id] = &record
	}
	return now, at, err
}

// hold takes the units of the reservations whose plans say so.
func (r *Recoverer) hold(ctx context.Context, conn *shard.Conn, list []Lost, plans []planned, outcomes []Outcome) error {
	var holds []shard.LostHold
	var of []int
	for i := range list {
		if plans[i].hold {
			holds = append(holds, shard.LostHold{ID: list[i].ID, Record: *list[i].Record, TTL: plans[i].ttl})
			of = append(of, i)
		}
	}
	answers, err := r.tryHold(ctx, conn, holds)
	if err != nil {
		return err
	}
	for j, i := range of {
		a, err := r.insist(ctx, conn, holds[j], answers[j])
		if err != nil {
			return err
		}
		if reason := refused(list[i].Record, a); reason != "" {
			outcomes[i].Outcome, outcomes[i].Reason = Left, reason
		}
	}
	return nil
}

// insist tries a hold again if overdue holds have its units, or if it may come from elsewhere. a is its
// answer so far.
func (r *Recoverer) insist(ctx context.Context, conn *shard.Conn, hold shard.LostHold, a shard.Answer) (shard.Answer, error) {
	for range moreDueMax {
		if a.Status != wire.StatusMoreDue {
			break
		}
		_, _, err := r.Store.Expire(ctx)
		if err == nil {
			a, err = r.tryOne(ctx, conn, hold)
		}
		if err != nil {
			return a, err
		}
	}
	if r.Anywhere && (a.Status == wire.StatusInsufficient || a.Status == wire.StatusNoLocation) {
		return r.elsewhere(ctx, conn, hold, a)
	}
	return a, nil
}

// tryHold takes holds, or of a dry run says whether each alone could be taken.
func (r *Recoverer) tryHold(ctx context.Context, conn *shard.Conn, holds []shard.LostHold) (answers []shard.Answer, err error) {
	if !r.DryRun {
		return conn.HoldAgain(ctx, holds)
	}
	for i := range holds {
		a, err := conn.TryHold(ctx, holds[i])
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

func (r *Recoverer) tryOne(ctx context.Context, conn *shard.Conn, hold shard.LostHold) (shard.Answer, error) {
	answers, err := r.tryHold(ctx, conn, []shard.LostHold{hold})
	if err != nil {
		return shard.Answer{}, err
	}
	return answers[0], nil
}

// elsewhere tries a hold again at the locations that the directory allows. before is its answer so far.
func (r *Recoverer) elsewhere(ctx context.Context, conn *shard.Conn, hold shard.LostHold, before shard.Answer) (shard.Answer, error) {
	request := cache.ReserveRequest{
		Channel: hold.Record.Channel, Customer: hold.Record.Customer, Identities: hold.Record.Identities(), Split: location.SplitUnits,
	}
	for _, c := range linesOf(&hold.Record) {
		if c.quantity > 0 {
			request.Lines = append(request.Lines, cache.LineRequest{Line: c.line, SKU: c.sku, Quantity: c.quantity})
		}
	}
	route, err := r.Store.Route(ctx, request)
	if errors.Is(err, cache.ErrInvalid) { // the directory has changed since
		return before, nil
	}
	if err != nil {
		return before, err
	}
	hold.Elsewhere = map[string][]location.ID{}
	for i := range route.Lines {
		hold.Elsewhere[route.Lines[i].Line] = route.Lines[i].Candidates
	}
	return r.tryOne(ctx, conn, hold)
}

// refused returns why a hold was not taken, or "".
func refused(record *wire.Record, a shard.Answer) string {
	switch a.Status {
	case wire.StatusHeld, wire.StatusReplay:
		return ""
	case wire.StatusInsufficient:
		return "its units are gone: " + shortText(record, a.Payload)
	case wire.StatusNoLocation:
		return "a location that it came from has no such level any more"
	case wire.StatusPurchaseLimit:
		return "its campaign has sold since, up to a limit: to the same customer, to one of its identities, or in all"
	case wire.StatusConflict:
		return "its id belongs to another reservation now"
	case wire.StatusMoreDue:
		return "too many overdue holds wait for their expiry: repeat the command"
	case wire.StatusCorrupt:
		return "a level is broken: run `holdfast reconcile audit`"
	default:
		return "redis answered " + a.Status
	}
}

// shortText says which lines are short. payload has the number of each, and what it could have.
func shortText(record *wire.Record, payload string) string {
	var lines []lineCount
	for _, c := range linesOf(record) {
		if c.quantity > 0 {
			lines = append(lines, c)
		}
	}
	var texts []string
	for part := range strings.SplitSeq(payload, wire.RecordSeparator) {
		f := wire.FieldReader{Rest: part}
		i, available := f.Number()-1, f.Number()
		if f.Failed || i < 0 || int(i) >= len(lines) {
			return payload
		}
		l := &lines[i]
		texts = append(texts, fmt.Sprintf("line %s needs %d %s from %s, and %d are there",
			l.line, l.quantity, l.sku, strings.Join(l.at, ", "), available))
	}
	return strings.Join(texts, "; ")
}

// follow makes the steps of a plan after its hold.
func (r *Recoverer) follow(ctx context.Context, l *Lost, p planned, o *Outcome) error {
	err := r.steps(ctx, l, p)
	passes := func(passing error) bool { return errors.Is(err, passing) }
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, slices.ContainsFunc([]error{cache.ErrUnavailable, cache.ErrRebuilding, cache.ErrNotDurable}, passes):
		return err
	}
	o.Outcome, o.Reason = Left, err.Error()
	return nil
}

func (r *Recoverer) steps(ctx context.Context, l *Lost, p planned) error {
	version := p.version
	for _, step := range []struct {
		wanted bool
		make   func() (cache.Result, error)
	}{
		{len(p.unfulfill) > 0, func() (cache.Result, error) {
			operation := fmt.Sprintf("recover-%s-%d", l.Record.CreationNonce, l.Version)
			return r.Store.Unfulfill(ctx, cache.UnfulfillRequest{ID: operation, Reservation: l.ID, Version: version, Lines: p.unfulfill})
		}},
		{len(p.release) > 0 || p.cancel, func() (cache.Result, error) {
			return r.Store.Release(ctx, cache.TransitionRequest{ID: l.ID, Version: version, Lines: p.release})
		}},
		{p.confirm, func() (cache.Result, error) { return r.Store.Confirm(ctx, cache.TransitionRequest{ID: l.ID}) }},
		{len(p.amend) > 0, func() (cache.Result, error) {
			return r.Store.Amend(ctx, cache.AmendRequest{ID: l.ID, Version: version, Lines: p.amend})
		}},
		{len(p.fulfill) > 0 || p.rest, func() (cache.Result, error) {
			return r.Store.Fulfill(ctx, cache.TransitionRequest{ID: l.ID, Version: version, Lines: p.fulfill})
		}},
		{p.describe, func() (cache.Result, error) {
			identities := append([]string{}, l.Record.Identities()...)
			return r.Store.Describe(ctx, cache.DescribeRequest{ID: l.ID, Customer: &l.Record.Customer, Order: &l.Record.Order, Identities: identities})
		}},
	} {
		if !step.wanted {
			continue
		}
		result, err := step.make()
		if err != nil {
			return err
		}
		version = result.Version
	}
	return nil
}
