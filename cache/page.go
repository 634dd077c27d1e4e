package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/internal/shard"
	"github.com/holdfast/holdfast/internal/wire"
	"github.com/holdfast/holdfast/location"
)

// LevelFilter selects levels, in order of SKU and location.
type LevelFilter struct {
	Location  location.ID // only this location; "" is all
	SKUPrefix string      // only SKUs that begin with this; "" is all

	SKUs      []location.SKU // only these, at most QuerySKUsMax; empty is all
	Locations []location.ID  // only at these, at most QueryLocationsMax; empty is all

	Limit  int    // 1 to LevelPageMax; 0 is LevelPageDefault
	Cursor string // LevelPage.Next of the page before; "" is the first page
}

// ReservationFilter selects reservations, the newest first. An empty field selects all.
type ReservationFilter struct {
	State    State  // an overdue hold counts as expired
	IDPrefix string // ids that begin with this
	Order    string
	Customer string
	Line     string             // has a line with this id
	SKU      location.SKU       // has a line of this SKU; Line, SKU and Location must hold for the same line
	Location location.ID        // has a line that this location serves
	Channels []location.Channel // of one of these; none selects all
	Limit    int                // 1 to ReservationPageMax; 0 is ReservationPageDefault
	Cursor   string             // ReservationPage.Next of the page before; "" is the first page
}

// ReservationPage is one page of reservations. Next is "" on the last page.
type ReservationPage struct {
	Reservations []Reservation
	Next         string
}

// LevelPage is one page of levels. Next is "" on the last page.
type LevelPage struct {
	Levels []Level
	Next   string

	// Position is the id of an entry of the event stream, epoch-sequence: the counts have every change up
	// to it. Those from the ledger have no later one. It is "" before the first entry.
	Position string
}

// Search reads reservations from the ledger, the newest first. The ledger is usually less than a
// second behind Redis.
//
// Errors, in order of precedence: *InvalidError; ErrNotDurable if there is no ledger, or it does
// not answer.
//
// Search costs one round trip to the ledger, and one to Redis for its clock. If Redis does not
// answer, the clock of this process decides which holds are overdue.
func (s *Store) Search(ctx context.Context, filter ReservationFilter) (ReservationPage, error) {
	if err := filter.validate(); err != nil {
		return ReservationPage{}, err
	}
	if s.options.Ledger == nil {
		return ReservationPage{}, fmt.Errorf("search: %w: this store has no ledger to search", ErrNotDurable)
	}
	ctx, cancel := s.within(ctx, 0)
	defer cancel()
	now := time.Now().UnixMilli()
	var clock *redis.TimeCmd
	half, stop := s.half(ctx)
	defer stop()
	if err := s.shard.Read(half, func(pipe redis.Pipeliner) { clock = pipe.Time(half) }); err == nil {
		now = clock.Val().UnixMilli()
	}
	rows, next, err := s.options.Ledger.Search(ctx, filter, now)
	if err != nil {
		return ReservationPage{}, fmt.Errorf("search: %w", err)
	}
	page := ReservationPage{Reservations: make([]Reservation, len(rows)), Next: next}
	for i, row := range rows {
		page.Reservations[i] = reservationOfRow(&row, now)
	}
	return page, nil
}

func (f *ReservationFilter) validate() error {
	var wrong faults
	switch f.State {
	case "", StateHeld, StateConfirmed, StateFulfilled, StateReleased, StateExpired:
	default:
		wrong.add("/state", "is %q, must be held, confirmed, fulfilled, released or expired", f.State)
	}
	wrong.short("/id_prefix", f.IDPrefix)
	wrong.optional("/order", f.Order)
	wrong.optional("/customer", f.Customer)
	wrong.optional("/line", f.Line)
	wrong.optional("/sku", string(f.SKU))
	wrong.optional("/location", string(f.Location))
	f.Limit = orDefault(f.Limit, ReservationPageDefault)
	if f.Limit < 1 || f.Limit > ReservationPageMax {
		wrong.add("/limit", "must be from 1 to %d", ReservationPageMax)
	}
	if _, _, ok := wire.ReservationAfter(f.Cursor); !ok {
		wrong.add("/cursor", "was not issued by this server")
	}
	return wrong.err()
}

// LevelPage reads levels in order of SKU and location. A level is listed as soon as the call that
// made it was answered. Available comes from Redis; the other counts come from the ledger, which
// follows Redis with a small delay. Without a ledger, or if it does not answer, all counts come
// from Redis.
//
// Errors, in order of precedence: *InvalidError; ErrRebuilding.
//
// LevelPage costs one round trip each to the ledger and to Redis, or three to Redis. Without the
// ledger, the first page after a level was made or removed also reads the names of all levels,
// 2,000 a round trip.
func (s *Store) LevelPage(ctx context.Context, filter LevelFilter) (LevelPage, error) {
	after, err := filter.validate()
	if err != nil {
		return LevelPage{}, err
	}
	ctx, cancel := s.within(ctx, 0)
	defer cancel()
	if s.options.Ledger != nil {
		half, stop := s.half(ctx)
		page, err := s.options.Ledger.LevelPage(half, filter)
		stop()
		if err == nil {
			return page, s.fillAvailable(ctx, page.Levels)
		}
		if !errors.Is(err, ErrNotDurable) {
			return LevelPage{}, err
		}
	}
	names, err := s.levelNames(ctx)
	if err != nil {
		return LevelPage{}, err
	}
	wanted, next := filter.choose(names, after)
	at, err := s.moment(ctx) // first: the levels have at least what is in the stream by now
	if err != nil {
		return LevelPage{}, err
	}
	levels, err := s.levelsNamed(ctx, s.keys, wanted)
	if err != nil {
		return LevelPage{}, err
	}
	return LevelPage{Levels: levels, Next: next, Position: at.entryID()}, nil
}

func (f *LevelFilter) validate() (after string, err error) {
	var wrong faults
	wrong.optional("/location", string(f.Location))
	wrong.short("/sku_prefix", f.SKUPrefix)
	wrong.list("/skus", len(f.SKUs), QuerySKUsMax, func(i int) string { return string(f.SKUs[i]) })
	wrong.list("/locations", len(f.Locations), QueryLocationsMax, func(i int) string { return string(f.Locations[i]) })
	f.Limit = orDefault(f.Limit, LevelPageDefault)
	if f.Limit < 1 || f.Limit > LevelPageMax {
		wrong.add("/limit", "must be from 1 to %d", LevelPageMax)
	}
	sku, at, ok := wire.LevelAfter(f.Cursor)
	if !ok {
		wrong.add("/cursor", "was not issued by this server")
	}
	return wire.LevelField(sku, at), wrong.err()
}

// list checks a list of identifiers.
func (f *faults) list(path string, n, most int, id func(int) string) {
	if n > most {
		f.add(path, "has %d entries, at most %d are allowed", n, most)
		return
	}
	for i := range n {
		f.fault(path+"/"+strconv.Itoa(i), location.IdentifierFault(id(i)))
	}
}

// Selects returns a function that reports whether the filter selects a level, whatever its cursor.
func (f *LevelFilter) Selects() func(location.SKU, location.ID) bool {
	skus, places := setOf(f.SKUs), setOf(f.Locations)
	return func(sku location.SKU, at location.ID) bool {
		return strings.HasPrefix(string(sku), f.SKUPrefix) && (f.Location == "" || at == f.Location) &&
			(len(skus) == 0 || skus[sku]) && (len(places) == 0 || places[at])
	}
}

func setOf[T comparable](list []T) map[T]bool {
	set := make(map[T]bool, len(list))
	for _, one := range list {
		set[one] = true
	}
	return set
}

// choose returns the names of one page, from the sorted names, and the cursor of the next.
func (f *LevelFilter) choose(names []string, after string) (wanted []string, next string) {
	from, found := slices.BinarySearchFunc(names, after, compareLevels)
	if found {
		from++
	}
	if prefix, _ := slices.BinarySearchFunc(names, f.SKUPrefix+wire.UnitSeparator, compareLevels); prefix > from {
		from = prefix
	}
	selects := f.Selects()
	for _, name := range names[from:] {
		sku, at, _ := wire.CutLevel(name)
		if !strings.HasPrefix(string(sku), f.SKUPrefix) {
			break
		}
		if !selects(sku, at) {
			continue
		}
		if len(wanted) == f.Limit {
			sku, at, _ := wire.CutLevel(wanted[f.Limit-1])
			return wanted, wire.LevelCursor(sku, at)
		}
		wanted = append(wanted, name)
	}
	return wanted, ""
}

// compareLevels orders the names of levels by SKU, then location.
func compareLevels(a, b string) int {
	skuA, atA, _ := wire.CutLevel(a)
	skuB, atB, _ := wire.CutLevel(b)
	if c := strings.Compare(string(skuA), string(skuB)); c != 0 {
		return c
	}
	return strings.Compare(string(atA), string(atB))
}

// snapshot has the names of all levels, in order, as the last listing read them.
type snapshot struct {
	of    census
	names []string
}

// census identifies a set of levels. Two equal ones mean the same set: a removal changes the entry,
// and a new level adds a field.
type census struct {
	epoch   string
	removed string // entry of the last removal, or ""
	fields  int64  // of the hash of levels
}

// levelNames returns the names of all levels, in order. Callers that find the snapshot out of date
// share one reading, and none waits longer than its context.
func (s *Store) levelNames(ctx context.Context) ([]string, error) {
	now, err := s.readCensus(ctx)
	if err != nil {
		return nil, err
	}
	if known := s.snapshot.Load(); known != nil && known.of == now {
		return known.names, nil
	}
	var read *snapshot
	for range 2 { // a reading that was under way may be older than this census; the next is not
		read, err = shard.Share(ctx, &s.reading, "names", func(ctx context.Context) (*snapshot, error) { return s.readNames(ctx, now) })
		if err != nil {
			return nil, err
		}
		if read.of == now {
			break
		}
	}
	return read.names, nil
}

func (s *Store) readCensus(ctx context.Context) (census, error) {
	var epoch, removed *redis.StringCmd
	var fields *redis.IntCmd
	err := s.shard.Read(ctx, func(pipe redis.Pipeliner) {
		epoch = pipe.HGet(ctx, s.keys.Stock, wire.FieldEpoch)
		removed = pipe.HGet(ctx, s.keys.Levels, wire.FieldRemoved)
		fields = pipe.HLen(ctx, s.keys.Levels)
	})
	if err != nil {
		return census{}, fmt.Errorf("count levels: %w", err)
	}
	return census{epoch: epoch.Val(), removed: removed.Val(), fields: fields.Val()}, nil
}

// scanCount is how many fields readNames asks of one HSCAN.
const scanCount = 2000

// readNames reads the names of all levels, which are those of a census or newer.
func (s *Store) readNames(ctx context.Context, of census) (*snapshot, error) {
	node, err := s.shard.Node(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var names []string // of.fields is what Redis said: a number that can't be right must not be allocated
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		var fields []string
		if fields, cursor, err = node.HScan(ctx, s.keys.Levels, cursor, "", scanCount).Result(); err != nil {
			return nil, fmt.Errorf("%w: scan levels: %w", ErrUnavailable, err)
		}
		for i := 0; i < len(fields); i += 2 {
			if _, _, ok := wire.CutLevel(fields[i]); ok {
				names = append(names, fields[i])
			}
		}
	}
	slices.SortFunc(names, compareLevels)
	read := &snapshot{of: of, names: slices.Compact(names)}
	s.snapshot.Store(read)
	return read, nil
}
