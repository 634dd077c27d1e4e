package api_test

import (
	"context"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// fakeStore returns what its fields say, and records its last request.
type fakeStore struct {
	asked     any    // the last request, without the id of its HTTP request
	requestID string // of the last change of stock

	ready       error
	err         error // of every call
	result      cache.Result
	reservation cache.Reservation
	adjusted    cache.AdjustResult
	moved       cache.TransferResult
	levels      []cache.Level
	page        cache.LevelPage
	found       cache.ReservationPage
	route       cache.Route
	available   map[location.SKU]int64
	during      func(ctx context.Context) // called inside every call
}

func (f *fakeStore) call(ctx context.Context, request any) error {
	f.asked = request
	if f.during != nil {
		f.during(ctx)
	}
	return f.err
}

func (f *fakeStore) Ready(ctx context.Context) error { return f.ready }

func (f *fakeStore) Reserve(ctx context.Context, r cache.ReserveRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Confirm(ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Release(ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Fulfill(ctx context.Context, r cache.TransitionRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Move(ctx context.Context, r cache.MoveRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Amend(ctx context.Context, r cache.AmendRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Return(ctx context.Context, r cache.ReturnRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Unfulfill(ctx context.Context, r cache.UnfulfillRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Route(ctx context.Context, r cache.ReserveRequest) (cache.Route, error) {
	return f.route, f.call(ctx, r)
}

func (f *fakeStore) Availability(ctx context.Context, r cache.AvailabilityRequest) (map[location.SKU]int64, error) {
	return f.available, f.call(ctx, r)
}

func (f *fakeStore) Extend(ctx context.Context, r cache.ExtendRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Describe(ctx context.Context, r cache.DescribeRequest) (cache.Result, error) {
	return f.result, f.call(ctx, r)
}

func (f *fakeStore) Reservation(ctx context.Context, id string) (cache.Reservation, error) {
	return f.reservation, f.call(ctx, id)
}

func (f *fakeStore) Search(ctx context.Context, filter cache.ReservationFilter) (cache.ReservationPage, error) {
	return f.found, f.call(ctx, filter)
}

func (f *fakeStore) Adjust(ctx context.Context, r cache.AdjustRequest) (cache.AdjustResult, error) {
	f.requestID, r.RequestID = r.RequestID, ""
	return f.adjusted, f.call(ctx, r)
}

func (f *fakeStore) Transfer(ctx context.Context, r cache.TransferRequest) (cache.TransferResult, error) {
	f.requestID, r.RequestID = r.RequestID, ""
	return f.moved, f.call(ctx, r)
}

func (f *fakeStore) Remove(ctx context.Context, r cache.RemoveRequest) (cache.Removal, error) {
	f.requestID, r.RequestID = r.RequestID, ""
	return cache.Removal{}, f.call(ctx, r)
}

func (f *fakeStore) Levels(ctx context.Context, sku location.SKU) ([]cache.Level, error) {
	return f.levels, f.call(ctx, sku)
}

func (f *fakeStore) LevelPage(ctx context.Context, filter cache.LevelFilter) (cache.LevelPage, error) {
	return f.page, f.call(ctx, filter)
}

var (
	created = time.Date(2026, 11, 27, 9, 0, 0, 0, time.FixedZone("CET", 3600))
	expires = created.Add(10*time.Minute + 7*time.Millisecond)

	held = cache.Reservation{
		ID: "ord-1001", State: cache.StateHeld, Version: 1, CreatedAt: created, ExpiresAt: expires,
		Channel: "web", Customer: "c-9", Order: "5512",
		Lines: []cache.Line{{
			Line: "1", SKU: "TEE-M", Requested: 2, Quantity: 2,
			From: []cache.Allocation{{Location: "berlin", Quantity: 2}},
		}},
	}
	teeBerlin = cache.Level{
		SKU: "TEE-M", Location: "berlin", OnHand: 40, Held: 3, Committed: 5, SafetyStock: 2, Available: 30,
	}
)

const (
	heldJSON = `{"id":"ord-1001","state":"held","version":1,"expires_at":"2026-11-27T08:10:00.007Z",` +
		`"created_at":"2026-11-27T08:00:00.000Z","channel":"web","customer":"c-9","order":"5512",` +
		`"lines":[{"line":"1","sku":"TEE-M","quantity":2,"requested":2,"fulfilled":0,"returned":0,` +
		`"from":[{"location":"berlin","quantity":2}]}]}` + "\n"
	teeBerlinFields = `{"sku":"TEE-M","location":"berlin","on_hand":40,"held":3,"committed":5,` +
		`"safety_stock":2,"backorder_limit":0,"available":30`
)
