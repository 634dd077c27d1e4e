package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// DescribeRequest asks to change whom a reservation is for. What it leaves out stays as it is.
type DescribeRequest struct {
	ID         string
	Version    int64    // the version that the reservation must have; 0 allows any
	Customer   *string  // "" removes the customer
	Order      *string  // "" removes the order
	Identities []string // replaces all; nil leaves them, an empty list removes them

	// Metadata changes the entries that it names; nil removes one. ClearMetadata removes all entries
	// first.
	Metadata      map[string]*string
	ClearMetadata bool
}

// Describe changes the customer, the order, the identities and the metadata of a reservation in any
// state. Purchase limits count the units for the new customer and the new identities, and no longer
// for the old ones. If one of them would exceed a limit, nothing changes. Identities are kept only
// if a purchase limit counts the reservation.
//
// Describe is safe to repeat: what the reservation says already changes nothing, and it is answered
// as it is. Without Version, a repeat after the Describe of another caller takes effect again.
//
// Errors, in order of precedence:
//   - *InvalidError: the request by itself
//   - ErrNotDurable, if the ledger does not answer, or if there is none and the request has metadata;
//     nothing was changed
//   - *InvalidError, if there would be more than MetadataKeysMax entries of metadata
//   - ErrRebuilding
//   - ErrNotFound
//   - ErrIDConflict, if the ledger has another reservation with this ID
//   - ErrNotDurable, if the ledger has not decided the step before
//   - *VersionError
//   - *InvalidError, if a purchase limit counts the reservation and neither a customer nor an identity
//     would be left, or if it would have more than PartsMax parts
//   - *PurchaseLimitError
//   - ErrNotDurable, if the ledger did not decide in time; repeat
//
// Describe costs one round trip to the ledger, one to Redis, which is shared with its batch, and the
// wait for the ledger, in any state: only the ledger keeps metadata.
func (s *Store) Describe(ctx context.Context, r DescribeRequest) (result Result, err error) {
	started := time.Now()
	defer func() { s.observe(VerbDescribe, started, result.Replay, err) }()
	if err := r.validate(); err != nil {
		return Result{}, err
	}
	ctx, cancel := s.within(ctx, s.options.DurableWait)
	defer cancel()
	call := &transitionCall{
		verb: VerbDescribe, request: &TransitionRequest{ID: r.ID, Version: r.Version}, described: &description{request: &r},
	}
	if err := s.readDescribed(ctx, call); err != nil {
		return Result{}, fmt.Errorf("describe %q: %w", r.ID, err)
	}
	result, err = s.transit(ctx, call, r.refused)
	if err == nil {
		result.Metadata = call.described.metadata
	}
	return result, err
}

func (r *DescribeRequest) validate() error {
	var f faults
	f.identifier("/id", r.ID)
	f.version("/version", r.Version)
	if r.Customer != nil {
		f.optional("/customer", *r.Customer)
	}
	if r.Order != nil {
		f.optional("/order", *r.Order)
	}
	f.identities(r.Identities)
	set := map[string]string{}
	for key, value := range r.Metadata {
		if value != nil {
			set[key] = *value
		} else {
			f.identifier(metadataPath(key), key)
		}
	}
	f.metadata(set)
	return f.err()
}

// fingerprint identifies the request without its ID and version.
func (r *DescribeRequest) fingerprint() string {
	f := fingerprinter{}
	text := func(s *string) {
		if s == nil {
			f.number(0)
			return
		}
		f.number(1)
		f.text(*s)
	}
	text(r.Customer)
	text(r.Order)
	if r.Identities == nil {
		f.number(-1)
	} else {
		f.number(int64(len(r.Identities)))
	}
	for _, identity := range r.Identities {
		f.text(identity)
	}
	f.text(strconv.FormatBool(r.ClearMetadata))
	for _, key := range slices.Sorted(maps.Keys(r.Metadata)) {
		f.text(key)
		text(r.Metadata[key])
	}
	return f.sum()
}

// description is a DescribeRequest, with what it makes of a version of the reservation.
type description struct {
	request  *DescribeRequest
	record   string            // the ledger's, if Redis may have forgotten the reservation; else ""
	metadata map[string]string // as it will be; nil without a ledger
	extra    string            // of the event: JSON of the metadata, or "" if it does not change
}

// readDescribed reads what the ledger has of the reservation, and what the request makes of it. The
// script takes that only for the version that was read.
func (s *Store) readDescribed(ctx context.Context, c *transitionCall) error {
	d := c.described
	if s.options.Ledger == nil {
		if d.request.ClearMetadata || len(d.request.Metadata) > 0 {
			return fmt.Errorf("%w: this store has no ledger to keep metadata", ErrNotDurable)
		}
		return nil
	}
	row, err := s.options.Ledger.Reservation(ctx, c.request.ID)
	if errors.Is(err, ErrNotFound) {
		row, err = wire.ReservationRow{}, nil // Redis may have it: the ledger will have it soon
	}
	if err != nil {
		return err
	}
	if d.record = ""; row.Record.State != StateHeld && row.Record.State != StateConfirmed && row.Record.State != "" {
		d.record = row.Record.Encode()
	}
	c.settled = versionText(row.Record.Version)
	return d.merge(row.Metadata)
}

// merge works out the metadata, as JSON Merge Patch does (RFC 7396).
func (d *description) merge(kept map[string]string) error {
	d.extra, d.metadata = "", map[string]string{}
	if !d.request.ClearMetadata {
		maps.Copy(d.metadata, kept)
	}
	for key, value := range d.request.Metadata {
		if value == nil {
			delete(d.metadata, key)
		} else {
			d.metadata[key] = *value
		}
	}
	if maps.Equal(d.metadata, kept) {
		return nil
	}
	var f faults
	f.metadata(d.metadata)
	if err := f.err(); err != nil {
		return err
	}
	text, err := json.Marshal(map[string]map[string]string{"metadata": d.metadata})
	if err != nil {
		panic("cache: encode metadata: " + err.Error())
	}
	d.extra = string(text)
	return nil
}

func (d *description) Arguments(b *shard.Batch) {
	b.Add(d.record, d.extra, changedText(d.request.Customer), changedText(d.request.Order))
	b.Add(shard.AsFlag(d.request.Identities != nil), strconv.Itoa(len(d.request.Identities)))
	b.Add(d.request.Identities...)
}

// changedText returns "" for a text that stays, else the text behind "=".
func changedText(text *string) string {
	if text == nil {
		return ""
	}
	return "=" + *text
}

// refused turns the refusals that only this verb has into errors, and leaves the others to refusal.
func (r *DescribeRequest) refused(verb Verb, a shard.Answer) error {
	f := wire.FieldReader{Rest: a.Payload}
	var err error
	switch a.Status {
	case wire.StatusNoIdentity:
		return invalid("/customer", "is required, or identities: a purchase limit counts the reservation")
	case wire.StatusTooManyParts:
		err = invalid("/identities", "would make %d parts, one for each purchase limit and identity, of %d bytes; %d and %d are allowed: "+
			"send fewer identities", f.Number(), f.Number(), PartsMax, LinesBytesMax)
	case wire.StatusPurchaseLimit:
		err = decodeLimitError(&f)
	default:
		return refusal(verb, r.ID, a)
	}
	if f.Failed {
		return fmt.Errorf("describe %q: answered %q: %w", r.ID, a.Payload, ErrCorrupt)
	}
	return err
}

// identities checks the identities of a reservation.
func (f *faults) identities(list []string) {
	if len(list) > IdentitiesMax {
		f.add("/identities", "has %d identities, at most %d are allowed", len(list), IdentitiesMax)
		return
	}
	for i, identity := range list {
		path := "/identities/" + strconv.Itoa(i)
		f.fault(path, location.IdentifierFault(identity))
		if at := slices.Index(list, identity); at < i {
			f.add(path, "is %q, the same as identity %d", identity, at)
		}
	}
}

// metadataPath is the path of an entry of metadata.
func metadataPath(key string) string {
	return "/metadata/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
