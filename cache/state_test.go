package cache

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// epochMillis is the start of a test, Unix ms. It has 13 digits, as real times do.
const epochMillis = 1_700_000_000_000

// bench is a Store on one engine, with a clock that the test sets.
type bench struct {
	tb     testing.TB
	ctx    context.Context
	store  *Store
	client redis.UniversalClient
	now    int64
	ops    int // operations made by stock
}

func newBench(tb testing.TB, client redis.UniversalClient, options Options) *bench {
	tb.Helper()
	if options.Timeout == 0 { // a busy machine is no reason to fail
		options.Timeout = time.Minute
	}
	s, err := New(client, options)
	if err != nil {
		tb.Fatal(err)
	}
	b := &bench{tb: tb, ctx: context.Background(), store: s, client: client, now: epochMillis}
	s.shard.Clock = func() string { return strconv.FormatInt(b.now, 10) }
	tb.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return b
}

// stock sets on hand, as "SKU@location=units …". It is a test's first call and loads the scripts,
// so it tries again if the time-out is short and the machine busy.
func (b *bench) stock(list string) {
	b.tb.Helper()
	for item := range strings.FieldsSeq(list) {
		name, units, _ := strings.Cut(item, "=")
		sku, at, _ := strings.Cut(name, "@")
		n, err := strconv.ParseInt(units, 10, 64)
		if err != nil {
			b.tb.Fatal(err)
		}
		b.ops++
		set := AdjustRequest{ID: fmt.Sprintf("stock-%d", b.ops), Changes: []Change{
			{SKU: location.SKU(sku), Location: location.ID(at), OnHand: &n},
		}}
		eventually(b.tb, func() error {
			_, err := b.store.Adjust(b.ctx, set)
			return err
		})
	}
}

func (b *bench) adjust(r AdjustRequest) AdjustResult {
	b.tb.Helper()
	result, err := b.store.Adjust(b.ctx, r)
	if err != nil {
		b.tb.Fatal(err)
	}
	return result
}

// order returns a ReserveRequest from "line:SKU:units[:pin] …".
func order(id, lines string) ReserveRequest {
	r := ReserveRequest{ID: id}
	for item := range strings.FieldsSeq(lines) {
		f := append(strings.Split(item, ":"), "")
		n, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			panic(err)
		}
		r.Lines = append(r.Lines, LineRequest{Line: f[0], SKU: location.SKU(f[1]), Quantity: n, Location: location.ID(f[3])})
	}
	return r
}

// state describes everything in Redis, in a fixed order. Times are seconds since the start of the
// test. It leaves out the first skipEvents events.
func (b *bench) state(skipEvents int) string {
	b.tb.Helper()
	var out strings.Builder
	c, k := b.client, b.store.keys
	must := func(err error) {
		b.tb.Helper()
		if err != nil {
			b.tb.Fatal(err)
		}
	}
	hash := func(key string, show func(field, value string)) {
		values, err := c.HGetAll(b.ctx, key).Result()
		must(err)
		for _, field := range slices.Sorted(mapKeys(values)) {
			show(field, values[field])
		}
	}
	hash(k.Stock, func(level, units string) {
		if sku, at, ok := wire.CutLevel(level); ok {
			fmt.Fprintf(&out, "stock %s@%s %s\n", sku, at, units)
		}
	})
	hash(k.Levels, func(level, counts string) {
		if sku, at, ok := wire.CutLevel(level); ok {
			fmt.Fprintf(&out, "level %s@%s %s\n", sku, at, strings.ReplaceAll(counts, wire.UnitSeparator, " "))
		}
	})
	hash(k.Reservations, func(id, text string) {
		rec, err := wire.DecodeRecord(text)
		must(err)
		if again := rec.Encode(); again != text {
			b.tb.Fatalf("record %q encodes as %q", text, again)
		}
		fmt.Fprintf(&out, "%s\n", describe(id, rec))
	})
	hash(k.Limits, func(key, units string) {
		fmt.Fprintf(&out, "limit %s %s\n", strings.ReplaceAll(key, wire.UnitSeparator, " "), units)
	})
	members, err := c.ZRangeWithScores(b.ctx, k.Deadlines, 0, -1).Result()
	must(err)
	for _, z := range members {
		fmt.Fprintf(&out, "deadline %s %s\n", seconds(int64(z.Score)), strings.ReplaceAll(z.Member.(string), wire.UnitSeparator, " "))
	}
	entries, err := c.XRange(b.ctx, k.Events, "-", "+").Result()
	must(err)
	for _, e := range entries {
		entry, err := wire.DecodeEntry(e.ID, e.Values)
		must(err)
		for _, event := range entry.Events {
			if skipEvents--; skipEvents < 0 {
				out.WriteString("event " + describeEvent(b.tb, entry, event) + "\n")
			}
		}
	}
	return out.String()
}

func mapKeys(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func seconds(millis int64) string {
	return strconv.FormatFloat(float64(millis-epochMillis)/1000, 'f', -1, 64) + "s"
}

// describe shows a record: id, state, version, deadline, and each line with its locations.
func describe(id string, r wire.Record) string {
	text := fmt.Sprintf("%s %s v%d until %s", id, r.State, r.Version, seconds(r.Expires))
	for _, l := range r.Lines {
		text += fmt.Sprintf(" | %s %s %d", l.Line, l.SKU, l.Requested)
		if l.Kit != nil {
			text += fmt.Sprintf(" of %s x%d", l.Kit.SKU, l.Kit.Each)
		}
		for _, limit := range l.Limits {
			text += " " + limit.ID
			if limit.Named && limit.Identity == "" {
				text += " of all"
			}
			text += fmt.Sprintf("<=%d/%d", limit.Most, limit.Each)
		}
		for _, a := range l.From {
			text += fmt.Sprintf(" %s:%d", a.Location, a.Quantity)
			if a.Fulfilled > 0 {
				text += fmt.Sprintf("(%d)", a.Fulfilled)
			}
		}
		if l.Returned > 0 {
			text += fmt.Sprintf(" back %d", l.Returned)
		}
		if l.Backorder {
			text += " backorder"
		}
	}
	return text
}

func describeEvent(tb testing.TB, entry wire.Entry, e wire.Event) string {
	tb.Helper()
	if entry.Nonce == "" {
		tb.Fatalf("entry %s has no nonce", entry.ID)
	}
	if e.Step("").Operation {
		if len(e.Fingerprint) != 22 {
			tb.Fatalf("operation %s has the fingerprint %q", e.ID, e.Fingerprint)
		}
		text := fmt.Sprintf("%s %s at %s", e.Verb, e.ID, seconds(entry.At))
		for _, l := range e.Levels {
			text += fmt.Sprintf(" | %s@%s on hand %d>%d safety %d>%d backorder %d>%d available %d", l.SKU, l.Location,
				l.OnHandBefore, l.OnHandAfter, l.SafetyStockBefore, l.SafetyStockAfter,
				l.BackorderLimitBefore, l.BackorderLimitAfter, l.AvailableAfter)
		}
		return text
	}
	rec := e.Record
	if e.Verb == VerbReserve && rec.CreationNonce != entry.Nonce {
		tb.Fatalf("creation nonce %q of %s is not the nonce %q of its entry", rec.CreationNonce, e.ID, entry.Nonce)
	}
	what := string(e.Verb)
	if e.Operation != "" {
		what += " " + e.Operation
	}
	if e.Verb == VerbReturn {
		for _, l := range e.Levels {
			what += fmt.Sprintf(" %s@%s %d>%d (%d)", l.SKU, l.Location, l.OnHandBefore, l.OnHandAfter, l.AvailableAfter)
		}
	}
	for _, d := range e.Carried {
		what += fmt.Sprintf(" %s@%s %+d", d.SKU, d.Location, d.OnHand)
	}
	return fmt.Sprintf("%s at %s: %s v%d > %s", what, seconds(entry.At), e.StateBefore, e.VersionBefore, describe(e.ID, rec))
}

// equal compares two texts line by line.
func equal(tb testing.TB, what, got, want string) {
	tb.Helper()
	if clean(got) != clean(want) {
		tb.Errorf("%s:\n%s\nwant:\n%s", what, clean(got), clean(want))
	}
}

func clean(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
