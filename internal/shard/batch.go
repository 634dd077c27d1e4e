package shard

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/internal/wire"
)

// Request is the part of a batch that one caller sends.
type Request interface {
	// ID returns the id of the reservation or operation.
	ID() string
	// Arguments adds the part of ARGV for this request to b, and numbers the levels that it names.
	Arguments(b *Batch)
	// Weight returns what the request costs a script, in lines. It bounds the size of a batch.
	Weight() int
	// NotAfter returns the last moment at which the request may be sent. Zero is no bound.
	NotAfter() time.Time
}

// Answer is what a script answered to one request.
type Answer struct {
	Status    string // one of the words in package wire; of a probe, see ProbeKnown
	Payload   string
	Now       int64  // Unix ms by Redis's clock
	Locations int64  // version of the list of locations at that moment
	Epoch     uint64 // of the script that answered
	Seen      *Seen  // probe: what the batch saw
	Err       error  // why there is no answer; else nil

	// Resent is the nonce of the batch if it was sent more than once and no earlier request of the
	// batch has the same id, else "". A repeat with this nonce is the answer to the first attempt.
	Resent string
}

// Batch is the requests of one script call, and their ARGV. A worker reuses its batch.
type Batch struct {
	pending []*pending
	answers []Answer // of the first requests; the others are to be sent again
	head    []string // the beginning of ARGV
	ids     []string
	body    []string // what the requests add after the ids, the levels and the counters
	mode    string   // of a reserve: modeDry, or ""
	used    bool     // counted in the queue's inFlight

	notAfter time.Time // the earliest of its requests; zero if none has one

	levels   numbering
	counters numbering // of purchase limits
	needTime bool      // a probe answers the time
}

func newBatch(size int) *Batch {
	return &Batch{pending: make([]*pending, 0, size), answers: make([]Answer, 0, size)}
}

func (b *Batch) reset() {
	clear(b.pending)
	b.pending, b.answers = b.pending[:0], b.answers[:0]
	b.resetTexts()
}

func (b *Batch) resetTexts() {
	b.notAfter = time.Time{}
	clear(b.body)
	b.ids, b.body = b.ids[:0], b.body[:0]
	b.levels.reset()
	b.counters.reset()
	b.needTime = false
}

// Add appends texts to ARGV.
func (b *Batch) Add(texts ...string) { b.body = append(b.body, texts...) }

// Level returns the number of a level in this batch, and numbers it on first use.
func (b *Batch) Level(name string) string { return b.levels.of(name) }

// Counter returns the number of a counter of a purchase limit, and numbers it on first use.
func (b *Batch) Counter(name string) string { return b.counters.of(name) }

// NeedTime makes a probe answer the time.
func (b *Batch) NeedTime() { b.needTime = true }

// numbering numbers names from 1, in the order of their first use.
type numbering struct {
	names   []string
	numbers map[string]int
}

func (n *numbering) of(name string) string {
	number, ok := n.numbers[name]
	if !ok {
		if n.numbers == nil {
			n.numbers = map[string]int{}
		}
		n.names = append(n.names, name)
		number = len(n.names)
		n.numbers[name] = number
	}
	return strconv.Itoa(number)
}

func (n *numbering) reset() {
	n.names = n.names[:0]
	clear(n.numbers)
}

// headerNonce is the place of the nonce in a header.
const headerNonce = 1

// modeDry makes reserve decide without writing.
const modeDry = "dry"

// encode writes the ARGV of the requests. A batch that is sent again keeps its time and its nonce.
func (b *Batch) encode(verb wire.Verb, now, nonce string) {
	for _, p := range b.pending {
		b.ids = append(b.ids, p.request.ID())
		p.request.Arguments(b)
		if at := p.request.NotAfter(); !at.IsZero() && (b.notAfter.IsZero() || at.Before(b.notAfter)) {
			b.notAfter = at
		}
	}
	b.head = b.header(verb, now, nonce)
}

// dropExpired answers the requests that may not be sent any more, and encodes the others again. An
// attempt before may have run: then the outcome is unknown, and a later answer would not tell.
func (b *Batch) dropExpired(verb wire.Verb, now time.Time, maybeRan bool) {
	if wire.Expired(b.notAfter, now) == nil {
		return
	}
	left := make([]*pending, 0, len(b.pending))
	for _, p := range b.pending {
		switch err := wire.Expired(p.request.NotAfter(), now); {
		case err == nil:
			left = append(left, p)
		case maybeRan || p.maybeRan:
			p.done <- Answer{Err: fmt.Errorf("%w: outcome unknown, and not sent again after NotAfter", wire.ErrUnavailable)}
		default:
			p.done <- Answer{Err: err}
		}
	}
	b.pending = left
	b.resetTexts()
	b.encode(verb, b.head[0], b.head[headerNonce])
}

// header returns the beginning of a script's ARGV. A probe writes nothing and has no nonce.
func (b *Batch) header(verb wire.Verb, now, nonce string) []string {
	if verb == wire.VerbProbe {
		if !b.needTime {
			now = noTime
		}
		return []string{now, strconv.Itoa(len(b.pending)), strconv.Itoa(len(b.levels.names)), strconv.Itoa(len(b.counters.names))}
	}
	h := []string{now, nonce, strconv.Itoa(len(b.pending))}
	switch verb {
	case wire.VerbReserve:
		h = append(h, strconv.Itoa(len(b.levels.names)), strconv.Itoa(len(b.counters.names)), b.mode)
	case wire.VerbDescribe:
		h = append(h, strconv.Itoa(wire.PartsMax), strconv.Itoa(wire.LinesBytesMax))
	case wire.VerbAmend:
		h = append(h, strconv.Itoa(len(b.levels.names)))
	case wire.VerbTransfer, wire.VerbReturn, wire.VerbUnfulfill:
		h = append(h, strconv.Itoa(wire.QuantityMax), strconv.Itoa(wire.LocationsMax))
	case wire.VerbAdjust:
		h = append(h, strconv.Itoa(len(b.levels.names)), strconv.Itoa(wire.QuantityMax), strconv.Itoa(wire.LocationsMax))
	}
	return h
}

// arguments appends the header, the ids, the levels, the counters and the requests to args. It
// appends pointers, which an interface holds without an allocation.
func (b *Batch) arguments(args []any) []any {
	all := make([]any, len(args), len(args)+len(b.head)+len(b.ids)+len(b.levels.names)+len(b.counters.names)+len(b.body))
	copy(all, args)
	for i := range b.head {
		all = append(all, &b.head[i])
	}
	for i := range b.ids {
		all = append(all, &b.ids[i])
	}
	for i := range b.levels.names {
		all = append(all, &b.levels.names[i])
	}
	for i := range b.counters.names {
		all = append(all, &b.counters.names[i])
	}
	for i := range b.body {
		all = append(all, &b.body[i])
	}
	return all
}

// decode reads a reply: "ok", the time, the version of the locations, then status and payload of
// each request.
func (b *Batch) decode(verb wire.Verb, reply []any) error {
	if verb == wire.VerbProbe {
		return b.decodeProbe(reply)
	}
	answered := (len(reply) - 3) / 2
	if len(reply)%2 != 1 || answered < min(1, len(b.pending)) || answered > len(b.pending) {
		return fmt.Errorf("%w: %s answered %d values to %d requests", wire.ErrCorrupt, verb, len(reply), len(b.pending))
	}
	now, locations, err := decodeHead(reply)
	if err != nil {
		return err
	}
	for i := range answered {
		status, ok1 := reply[3+2*i].(string)
		payload, ok2 := reply[4+2*i].(string)
		if !ok1 || !ok2 {
			return fmt.Errorf("%w: %s answered a value that is not text", wire.ErrCorrupt, verb)
		}
		b.answers = append(b.answers, Answer{Status: status, Payload: payload, Now: now, Locations: locations})
	}
	return nil
}

func decodeHead(reply []any) (now, locations int64, err error) {
	t, _ := reply[1].(string)
	l, _ := reply[2].(string)
	now, err1 := strconv.ParseInt(t, 10, 64)
	locations, err2 := strconv.ParseInt(l, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", wire.ErrCorrupt, err)
	}
	return now, locations, nil
}
