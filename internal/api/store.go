package api

import (
	"context"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// Store keeps the stock that the API serves. *cache.Store implements it.
type Store interface {
	Ready(ctx context.Context) error

	Reserve(ctx context.Context, r cache.ReserveRequest) (cache.Result, error)
	Confirm(ctx context.Context, r cache.TransitionRequest) (cache.Result, error)
	Release(ctx context.Context, r cache.TransitionRequest) (cache.Result, error)
	Fulfill(ctx context.Context, r cache.TransitionRequest) (cache.Result, error)
	Move(ctx context.Context, r cache.MoveRequest) (cache.Result, error)
	Amend(ctx context.Context, r cache.AmendRequest) (cache.Result, error)
	Return(ctx context.Context, r cache.ReturnRequest) (cache.Result, error)
	Unfulfill(ctx context.Context, r cache.UnfulfillRequest) (cache.Result, error)
	Extend(ctx context.Context, r cache.ExtendRequest) (cache.Result, error)
	Describe(ctx context.Context, r cache.DescribeRequest) (cache.Result, error)
	Reservation(ctx context.Context, id string) (cache.Reservation, error)
	Search(ctx context.Context, f cache.ReservationFilter) (cache.ReservationPage, error)

	Route(ctx context.Context, r cache.ReserveRequest) (cache.Route, error)
	Availability(ctx context.Context, r cache.AvailabilityRequest) (map[location.SKU]int64, error)

	Adjust(ctx context.Context, r cache.AdjustRequest) (cache.AdjustResult, error)
	Transfer(ctx context.Context, r cache.TransferRequest) (cache.TransferResult, error)
	Remove(ctx context.Context, r cache.RemoveRequest) (cache.Removal, error)
	Levels(ctx context.Context, sku location.SKU) ([]cache.Level, error)
	LevelPage(ctx context.Context, f cache.LevelFilter) (cache.LevelPage, error)
}

var _ Store = (*cache.Store)(nil)
